"""Microsoft.Authorization: role assignments at any scope, and the built-in role definitions."""

from __future__ import annotations

import re

from setup_kit.sandbox import access
from setup_kit.sandbox.resource_manager.arm import Answer, ArmError, Call, Route, bad_content
from setup_kit.sandbox.resource_manager.groups import find_group
from setup_kit.sandbox.state import Document, State
from setup_kit.sandbox.tenant import Tenant

PROVIDER = "/providers/Microsoft.Authorization"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
TEXT = r"'(?P<{}>(?:[^']|'')*)'"
CONDITION = re.compile(
    rf"(?:(?P<function>atScope|assignedTo)\((?:{TEXT.format('argument')})?\)"
    rf"|(?P<field>\w+)\s+eq\s+{TEXT.format('value')})\s*(?P<more>and\s+)?",
    re.IGNORECASE,
)


class Authorization:
    def __init__(self, state: State, tenant: Tenant, subscription: str) -> None:
        self._state = state
        self._tenant = tenant
        self._subscription = subscription

    def routes(self) -> list[Route]:
        many = "{scope*}" + PROVIDER + "/roleAssignments"
        one = many + "/{name}"
        definitions = "{scope*}" + PROVIDER + "/roleDefinitions"
        read = "Microsoft.Authorization/roleAssignments/read"
        # The definitions are everybody's to read, and what one may do oneself.
        return [
            Route("GET", many, read, "arm.get", self._list),
            Route("GET", one, read, "arm.get", self._get),
            Route("PUT", one, "Microsoft.Authorization/roleAssignments/write", "role_assignment.put", self._put),
            Route(
                "DELETE", one, "Microsoft.Authorization/roleAssignments/delete", "role_assignment.delete", self._delete
            ),
            Route("GET", "{scope*}" + PROVIDER + "/permissions", "", "arm.get", self._permissions),
            Route("GET", definitions, "", "arm.get", self._list_definitions),
            Route("GET", definitions + "/{name}", "", "arm.get", self._get_definition),
        ]

    def _body(self, assignment: Document) -> Document:
        return {
            "properties": {
                "roleDefinitionId": self._definition_id(assignment["role"]),
                "principalId": assignment["principal"],
                "principalType": assignment["principal_type"],
                "scope": assignment["scope"],
                "condition": None,
                "conditionVersion": None,
                "createdOn": assignment["created"],
                "updatedOn": assignment["created"],
                "delegatedManagedIdentityResourceId": None,
                "description": None,
            },
            "id": assignment["id"],
            "type": "Microsoft.Authorization/roleAssignments",
            "name": assignment["name"],
        }

    async def _list(self, call: Call) -> Answer:
        scope = call.name("scope") or "/"
        # Without a filter: at the scope, above it and inside it.
        found = [
            each
            for each in access.assignments(self._state)
            if access.covers(each["scope"], scope) or access.covers(scope, each["scope"])
        ]
        for name, value in parse_conditions(call.query.get("$filter", "")):
            if name == "atscope":
                found = [each for each in found if access.covers(each["scope"], scope)]
            elif name == "principalid":
                found = [each for each in found if each["principal"] == value.lower()]
            elif name == "assignedto":
                who = {value.lower(), *self._tenant.groups_of(value.lower())}
                found = [each for each in found if each["principal"] in who]
            else:
                raise _unknown_filter(name)
        return Answer(200, {"value": [self._body(each) for each in found]})

    def _key(self, call: Call) -> str:
        return f"{call.name('scope').rstrip('/')}{PROVIDER}/roleAssignments/{call.name('name')}".lower()

    async def _get(self, call: Call) -> Answer:
        assignment = self._state.get(access.ASSIGNMENTS, self._key(call))
        if assignment is None:
            raise ArmError(404, "RoleAssignmentNotFound", f"The role assignment '{call.name('name')}' is not found.")
        return Answer(200, self._body(assignment))

    async def _put(self, call: Call) -> Answer:
        name, scope = call.name("name"), call.name("scope").rstrip("/")
        group = re.match(r"/subscriptions/[^/]+/resourceGroups/([^/]+)", scope, re.IGNORECASE)
        if group is not None:
            find_group(self._state, group[1])
        properties = call.properties
        role = str(properties.get("roleDefinitionId") or "").rpartition("/")[2].lower()
        principal = str(properties.get("principalId") or "").lower()
        if not GUID.fullmatch(name):
            raise ArmError(
                400,
                "InvalidRoleAssignmentId",
                f"The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.",
            )
        if not GUID.fullmatch(principal):
            raise bad_content("'principalId' is not a GUID")
        if role not in access.ROLES:
            raise ArmError(
                404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{role}' does not exist."
            )
        kind = self._tenant.kind_of(principal)
        if kind is None:
            raise ArmError(
                400,
                "PrincipalNotFound",
                f"Principal {principal.replace('-', '')} does not exist in the directory {self._tenant.id}. Check that"
                " you have the correct principal ID. If you are creating this principal and then immediately assigning"
                " a role, this error might be related to a replication delay. In this case, set the role assignment"
                " principalType property to a value, such as ServicePrincipal, User, or Group.  See"
                " https://aka.ms/docs-principaltype",
            )
        asked = properties.get("principalType")
        if asked and asked != kind:
            raise ArmError(
                400,
                "UnmatchedPrincipalType",
                f"The PrincipalId '{principal}' has type '{kind}', which is different from specified PrinciaplType"
                f" '{asked}'.",
            )
        wanted = ((scope or "/").lower(), role, principal)
        for each in access.assignments(self._state):
            if (each["scope"].lower(), each["role"], each["principal"]) != wanted:
                continue
            if each["name"].lower() == name.lower():
                return Answer(201, self._body(each))
            raise ArmError(
                409,
                "RoleAssignmentExists",
                "The role assignment already exists. The ID of the conflicting role assignment is"
                f" {each['name'].replace('-', '')}.",
            )
        if self._state.get(access.ASSIGNMENTS, self._key(call)) is not None:
            raise ArmError(
                409,
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            )
        identifier = access.assign(self._state, scope, role, principal, kind, name)
        made = self._state.get(access.ASSIGNMENTS, identifier.lower())
        return Answer(201, self._body(made or {}))

    async def _delete(self, call: Call) -> Answer:
        assignment = self._state.get(access.ASSIGNMENTS, self._key(call))
        if assignment is None:
            return Answer(204)
        self._state.delete(access.ASSIGNMENTS, self._key(call))
        return Answer(200, self._body(assignment))

    async def _permissions(self, call: Call) -> Answer:
        """What the caller may do at the scope, a role at a time."""
        who = {call.caller.object_id, *call.caller.groups}
        roles = access.roles(self._state, who, call.name("scope"))
        return Answer(200, {"value": [_permission(role) for role in roles]})

    def _definition_id(self, role: str) -> str:
        return f"/subscriptions/{self._subscription}{PROVIDER}/roleDefinitions/{role}"

    def _definition(self, role: access.Role) -> Document:
        return {
            "properties": {
                "roleName": role.name,
                "type": "BuiltInRole",
                "description": role.description,
                "assignableScopes": ["/"],
                "permissions": [_permission(role)],
            },
            "id": self._definition_id(role.id),
            "type": "Microsoft.Authorization/roleDefinitions",
            "name": role.id,
        }

    async def _list_definitions(self, call: Call) -> Answer:
        found = list(access.ROLES.values())
        for name, value in parse_conditions(call.query.get("$filter", "")):
            if name == "rolename":
                found = [each for each in found if each.name.lower() == value.lower()]
            elif name == "type":
                found = found if value.lower() == "builtinrole" else []
            elif name != "atscope":
                raise _unknown_filter(name)
        return Answer(200, {"value": [self._definition(each) for each in found]})

    async def _get_definition(self, call: Call) -> Answer:
        role = access.ROLES.get(call.name("name").lower())
        if role is None:
            raise ArmError(
                404,
                "RoleDefinitionDoesNotExist",
                f"The specified role definition with ID '{call.name('name').replace('-', '')}' does not exist.",
            )
        return Answer(200, self._definition(role))


def _permission(role: access.Role) -> Document:
    return {
        "actions": list(role.actions),
        "notActions": list(role.not_actions),
        "dataActions": list(role.data_actions),
        "notDataActions": [],
    }


def parse_conditions(text: str) -> list[tuple[str, str]]:
    """The (name in lower case, value) pairs of a `$filter` whose conditions are joined by `and`. Raises ArmError."""
    conditions: list[tuple[str, str]] = []
    rest = text.strip()
    while rest:
        match = CONDITION.match(rest)
        if match is None:
            raise _unknown_filter(rest)
        name = match["function"] or match["field"]
        value = match["argument"] or match["value"] or ""
        conditions.append((name.lower(), value.replace("''", "'")))
        rest = rest[match.end() :]
        if rest and not match["more"]:
            raise _unknown_filter(rest)
    return conditions


def _unknown_filter(text: str) -> ArmError:
    return ArmError(
        400,
        "UnsupportedFilter",
        f"The filter '{text}' is not supported. Supported filters are either 'atScope()', 'principalId eq ...' or"
        " 'assignedTo(...)' for role assignments, and 'roleName eq ...' for role definitions.",
    )
