"""Errors as the Web API answers them: a status, a code of eight hexadecimal digits, a sentence.

Codes and sentences are from the public "Web service error codes" reference and from responses quoted in public issues;
the others are marked *assumed*.
"""

from __future__ import annotations


class WebApiError(Exception):
    """Answered as `{"error": {"code": …, "message": …}}` with `status`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def unknown_segment(segment: str) -> WebApiError:
    return WebApiError(404, "0x8006088a", f"Resource not found for the segment '{segment}'.")


def unknown_property(name: str, type_name: str) -> WebApiError:
    return WebApiError(
        400, "0x80060888", f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{type_name}'."
    )


def bad_query(message: str) -> WebApiError:
    return WebApiError(400, "0x80060888", message)


def bad_body(message: str) -> WebApiError:
    return WebApiError(400, "0x80048d19", f"Error identified in Payload provided by the user. {message}")


def no_record(table: str, record_id: str) -> WebApiError:
    return WebApiError(404, "0x80040217", f"Entity '{table}' With Id = {record_id} Does Not Exist")


def no_definition(name: str, definition_id: str = "00000000-0000-0000-0000-000000000000") -> WebApiError:
    return WebApiError(404, "0x80040217", f"Could not find an entity with name {name} and id {definition_id}.")


def duplicate_record() -> WebApiError:
    return WebApiError(412, "0x80040237", "A record with matching key values already exists.")


def wrong_version() -> WebApiError:
    return WebApiError(
        412, "0x80060882", "The version of the existing record doesn't match the RowVersion property provided."
    )


def not_tracked(table: str) -> WebApiError:
    return WebApiError(400, "0x80072491", f"Entity {table} isn't enabled for change tracking.")


def related_not_tracked(intersect: str) -> WebApiError:
    return WebApiError(
        400,
        "0x80072492",
        f"Changes cannot be retrieved for intersect entity {intersect} since both related entities"
        " are not enabled for change tracking.",
    )


def not_with_tracking(option: str) -> WebApiError:
    message = f'The "${option}" query parameter isn\'t supported when Change Tracking is enabled.'
    return WebApiError(400, "0x80060888", message)


def expired_delta_token() -> WebApiError:
    # Code and sentence are those of an expired version stamp; that an expired delta token is told so is assumed.
    return WebApiError(
        400, "0x80044352", "Version stamp associated with the client has expired. Please perform a full sync."
    )


def bad_delta_token(token: str) -> WebApiError:
    # Assumed: no public source shows how a token that never was one is refused.
    return WebApiError(400, "0x80060888", f"The delta token '{token}' is not valid.")


def bad_skip_token() -> WebApiError:
    return WebApiError(400, "0x80060888", "Malformed XML in the Paging Cookie")


def not_a_member() -> WebApiError:
    return WebApiError(403, "0x80072560", "The user is not a member of the organization.")


def disabled_user(user_id: str) -> WebApiError:
    return WebApiError(
        403, "0x80040225", f"The specified user(Id = {user_id}) is disabled. Consider enabling this user."
    )


def missing_privilege(user_id: str, privilege: str, table: str, type_code: int) -> WebApiError:
    return WebApiError(
        403,
        "0x80040220",
        f"Principal user (Id={user_id}, type=8, roleCount=1) is missing {privilege} privilege"
        f" (Id=00000000-0000-0000-0000-000000000000) on OTC={type_code} for entity '{table}'.",
    )


def too_long(table: str, column: str, most: int) -> WebApiError:
    return WebApiError(
        400,
        "0x80044331",
        f"A validation error occurred. The length of the '{column}' attribute of the '{table}' entity"
        f" exceeded the maximum allowed length of '{most}'.",
    )


def not_supported(method: str, what: str) -> WebApiError:
    return WebApiError(405, "0x80060888", f"Operation not supported on {what}: {method}.")


def not_here(what: str) -> WebApiError:
    """What the real service does and this one does not: refused by name, never pretended."""
    return WebApiError(501, "0x80060888", f"{what} is not supported by the sandbox.")


def cannot_track(table: str) -> WebApiError:
    # Assumed: the managed property forbids the change; code and sentence are those of managed properties.
    return WebApiError(
        400,
        "0x8004f026",
        "The evaluation of the current component(name=Entity, id="
        f"{table}) in the current operation (Update) failed during managed property evaluation of condition:"
        " 'Managed Property Name: canchangetrackingbeenabled; Managed Property Value: False'",
    )
