"""The words of Resource Manager: a call, its answer, an error, and a route from one to the other."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from setup_kit.sandbox.entra import Caller
from setup_kit.sandbox.state import Document

GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"


class ArmError(Exception):
    """An error answer. `gateway`: from Resource Manager itself, not from a resource provider."""

    def __init__(
        self, status: int, code: str, message: str, *, gateway: bool = False, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.gateway = gateway
        self.headers = dict(headers or {})

    def body(self) -> Document:
        return {"error": {"code": self.code, "message": str(self)}}


@dataclass(frozen=True)
class Answer:
    """Status, JSON body (None: empty) and headers of a good answer."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One authenticated request; `names` holds what the route's template found in the path, as written."""

    method: str
    path: str
    names: Mapping[str, str]
    query: Mapping[str, str]
    api_version: str
    body: Document
    caller: Caller

    def name(self, key: str) -> str:
        return self.names[key]

    @property
    def group(self) -> str:
        return self.names["group"]

    @property
    def properties(self) -> Document:
        """The body's `properties`; an empty document when there are none. Raises ArmError when they are no object."""
        properties = self.body.get("properties") or {}
        if not isinstance(properties, dict):
            raise bad_content("'properties' is not an object")
        return properties


Handler = Callable[[Call], Awaitable[Answer]]


class Route:
    """What answers a method and a path such as GROUP + "/providers/Microsoft.Sql/servers/{server}".

    `{name}` stands for one segment, `{name*}` for any number of them; the rest is compared without regard to case,
    as Resource Manager does. `action` is what the caller must be allowed; `operation` names the time it takes.
    """

    def __init__(self, method: str, template: str, action: str, operation: str, handler: Handler) -> None:
        self.method = method
        self.action = action
        self.operation = operation
        self.handler = handler
        self.under_group = template.startswith(GROUP + "/")
        pattern = re.escape(template)
        pattern = re.sub(r"\\\{(\w+)\\\*\\\}", r"(?P<\1>.*?)", pattern)
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", pattern)
        self._pattern = re.compile(pattern, re.IGNORECASE)

    def match(self, path: str) -> dict[str, str] | None:
        """The names in an undecoded path, decoded; None when the path is another one."""
        found = self._pattern.fullmatch(path)
        return None if found is None else {key: unquote(value) for key, value in found.groupdict().items()}


def bad_content(problem: str) -> ArmError:
    return ArmError(400, "InvalidRequestContent", f"The request content was invalid: {problem}.", gateway=True)


def not_found(group: str, kind: str, name: str) -> ArmError:
    """The gateway's text for a resource that is not there, such as `Microsoft.Sql/servers` and its name."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found."
        " For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        gateway=True,
    )


def parent_not_found(action: str, kind: str, parent: str) -> ArmError:
    return ArmError(
        404,
        "ParentResourceNotFound",
        f"Failed to perform '{action}' on resource(s) of type '{kind}', because the parent resource '{parent}' could"
        " not be found.",
        gateway=True,
    )


def same_location(kept: str, asked: object) -> bool:
    """`West Europe` and `westeurope` are one place."""
    return kept == place(str(asked or kept))


def place(location: str) -> str:
    return location.replace(" ", "").lower()


def tags_of(body: Document) -> dict[str, str]:
    """The tags of a request. Raises ArmError when they are not texts, or more than the fifty that are allowed."""
    tags = body.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise bad_content("'tags' is not an object of texts")
    if len(tags) > 50:
        raise ArmError(400, "InvalidTagCount", "The maximum number of tags allowed is 50.", gateway=True)
    return tags
