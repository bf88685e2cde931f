"""Types of single values: the rule that checks one, and the same rule for JSON Schema as far as that can say it."""

from __future__ import annotations

import difflib
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from setup_kit.environment import export_names, names, regions

REGIONS = (*regions.SERVICE_ADDRESSES, "North America")


def fault(key: str, message: str) -> PydanticCustomError:
    """A fault of a whole section, laid at one of its keys."""
    return PydanticCustomError("fault", "{message}", {"message": message, "key": key})


def _text(pattern: str = "", shortest: int = 1, longest: int = 0) -> WithJsonSchema:
    schema: dict[str, str | int] = {"type": "string"}
    if pattern:
        schema["pattern"] = pattern
    if shortest:
        schema["minLength"] = shortest
    if longest:
        schema["maxLength"] = longest
    return WithJsonSchema(schema)


def _suffix(text: str) -> str:
    """Empty, or a period and what follows."""
    if text and not text.startswith("."):
        raise ValueError("a suffix starts with a period, such as .database.windows.net")
    return text


def _filled(text: str) -> str:
    """Not blank."""
    if not text.strip():
        raise ValueError("is empty")
    return text


def _audience(text: str) -> str:
    """Starts with https:// or api://."""
    if not text.startswith(("https://", "api://")):
        raise ValueError(f"{names.shown(text)} is not an audience: it starts with https:// or api://")
    return text


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    """None is there twice."""
    twice = names.first_duplicate(values)
    if twice is not None:
        raise ValueError(f"{names.shown(twice)} is there twice")
    return values


def _region(text: str) -> str:
    """A region whose service addresses are known, however it is cased or spaced."""
    normal = text.replace(" ", "").lower()
    for region in REGIONS:
        if region.replace(" ", "").lower() == normal:
            return region
    near = difflib.get_close_matches(text.title(), REGIONS, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ValueError(
        f"no service address is known for {names.shown(text)}: {hint}Known are {', '.join(REGIONS)}; "
        "for a service elsewhere leave service_region out and give its addresses under rules"
    )


def _address_with_path(url: str) -> str:
    """An https address without user, query or fragment, perhaps with a path."""
    return names.address(url, path=True)


ServerName = Annotated[str, AfterValidator(names.logical_server), _text(names.LOGICAL_SERVER)]
HostName = Annotated[str, AfterValidator(names.host), _text(names.HOST, longest=253)]
DatabaseName = Annotated[str, AfterValidator(names.database), _text(names.DATABASE, longest=128)]
ResourceGroupName = Annotated[str, AfterValidator(names.resource_group), _text(names.RESOURCE_GROUP, longest=90)]
VaultName = Annotated[str, AfterValidator(names.vault), _text(names.VAULT, 3, 24)]
SecretName = Annotated[str, AfterValidator(names.secret), _text(names.SECRET)]
RuleName = Annotated[str, AfterValidator(names.firewall_rule), _text(names.FIREWALL_RULE, longest=128)]
AdministratorLogin = Annotated[str, AfterValidator(names.administrator), _text(names.LOGIN, longest=128)]
ExportUserName = Annotated[
    str, AfterValidator(names.export_user), _text(names.LOGIN, longest=128 - len(export_names.SUFFIX))
]
SchemaName = Annotated[str, AfterValidator(names.schema), _text(names.SCHEMA)]
Prefix = Annotated[str, AfterValidator(names.prefix), _text(names.PREFIX, 0)]
ProfileName = Annotated[str, AfterValidator(names.profile), _text(longest=128)]
EntityName = Annotated[str, AfterValidator(names.entity), _text(names.ENTITY, longest=100)]
RelationshipName = Annotated[str, AfterValidator(names.relationship), _text(names.RELATIONSHIP, longest=100)]
Entities = Annotated[tuple[EntityName, ...], Field(min_length=1), AfterValidator(_distinct)]
Relationships = Annotated[tuple[RelationshipName, ...], AfterValidator(_distinct)]
Location = Annotated[str, AfterValidator(names.location), _text(names.LOCATION)]
Region = Annotated[
    str,
    AfterValidator(_region),
    WithJsonSchema({"type": "string", "enum": list(REGIONS)}),
]
IPv4 = Annotated[str, AfterValidator(names.ipv4), WithJsonSchema({"type": "string", "format": "ipv4"})]
Address = Annotated[str, AfterValidator(names.address), _text(names.ORGANIZATION_URL)]
AddressWithPath = Annotated[str, AfterValidator(_address_with_path), _text("^https://[^?#@]+$")]
Audience = Annotated[str, AfterValidator(_audience), _text("^(https|api)://")]
Suffix = Annotated[str, AfterValidator(_suffix), _text(r"^(\..+)?$", 0)]
Sku = Annotated[
    str, AfterValidator(names.sku), _text("^(" + "|".join(names.DTU_SKUS) + "|" + names.VCORE_SKU[1:-1] + ")$")
]
GroupName = Annotated[str, AfterValidator(_filled), _text(longest=256)]
TagName = Annotated[str, AfterValidator(names.tag_name)]
TagValue = Annotated[str, AfterValidator(names.tag_value), _text(shortest=0, longest=256)]
Tags = Annotated[dict[TagName, TagValue], AfterValidator(names.tags)]
