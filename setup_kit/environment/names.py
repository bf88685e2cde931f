"""What the clouds, SQL Server and the export service take as names. Every rule gives its source.

A rule takes the text and returns it (some in their normal form), or raises ValueError with a sentence for a person.
The capitals are regular expressions of whole values, read alike by Python and by JSON Schema.
"""

from __future__ import annotations

import ipaddress
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from setup_kit.environment.export_names import SUFFIX

LOGICAL_SERVER = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
HOST = r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
DATABASE = r"^[^<>*%&:\\/?]*[^<>*%&:\\/?. ]$"
RESOURCE_GROUP = r"^.*[^.]$"
VAULT = r"^[A-Za-z](-?[A-Za-z0-9]){2,23}$"
SECRET = r"^[A-Za-z0-9-]{1,127}$"  # noqa: S105 -- the rule for its name
FIREWALL_RULE = r"^[^<>*%&:;\\/?]*[^<>*%&:;\\/?.]$"
LOGIN = r"^[^\\]+$"
SCHEMA = r"^[A-Za-z0-9]{1,128}$"
PREFIX = r"^[A-Za-z0-9]{0,14}$"
ENTITY = r"^[a-z][a-z0-9_]*$"
RELATIONSHIP = r"^[A-Za-z][A-Za-z0-9_]*$"
LOCATION = r"^[A-Za-z][A-Za-z0-9 ]*$"
ORGANIZATION_URL = r"^https://[A-Za-z0-9.-]+(:[0-9]+)?/?$"
VCORE_SKU = r"^(GP|GP_S|BC|HS|HS_S)_[A-Za-z0-9]+_[0-9]+$"

ALLOW_AZURE_SERVICES_RULE = "AllowAllWindowsAzureIps"
KIT_TAG = "setup-kit"  # says for which environment the kit made a resource
KIT_RULE_PREFIXES = ("setup-kit-operator-", "data-export-service-")  # the operator's temporary one, the service's

# https://learn.microsoft.com/azure/azure-sql/database/resource-limits-dtu-single-databases: the most a SKU stores, GB.
DTU_SKUS: Mapping[str, int] = {
    "Basic": 2,
    **dict.fromkeys(("S0", "S1", "S2"), 250),
    **dict.fromkeys(("S3", "S4", "S6", "S7", "S9", "S12"), 1024),
    **dict.fromkeys(("P1", "P2", "P4", "P6"), 1024),
    **dict.fromkeys(("P11", "P15"), 4096),
}
# The most that General Purpose and Business Critical (4 TB) and Hyperscale (128 TB) store in any size, GB.
VCORE_GB, HYPERSCALE_GB = 4096, 131_072

_RESERVED_LOGINS = frozenset(
    {"sa", "admin", "administrator", "root", "guest", "public", "dbmanager", "loginmanager", "dbo", "sys"}
    | {"information_schema", "db_accessadmin", "db_backupoperator", "db_datareader", "db_datawriter", "db_ddladmin"}
    | {"db_denydatareader", "db_denydatawriter", "db_owner", "db_securityadmin"}
)
_RESERVED_DATABASES = frozenset({"master", "model", "msdb", "tempdb"})
_RESERVED_SCHEMAS = frozenset({"sys", "guest"})


def shown(text: str) -> str:
    """The text in quotes for a message: control characters escaped, cut where it is long."""
    cut = text if len(text) <= 60 else text[:57] + "..."
    quoted = json.dumps(cut, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in quoted)


def _refuse(text: str, noun: str, rule: str) -> ValueError:
    return ValueError(f"{shown(text)} is not {noun}: {rule}")


def _controls(text: str) -> bool:
    return any(unicodedata.category(c) in {"Cc", "Cs"} for c in text)


def _matches(pattern: str, text: str) -> bool:
    # fullmatch, because `$` would let a line break follow.
    return re.fullmatch(pattern, text) is not None


def logical_server(name: str) -> str:
    """Lower-case letters, digits and hyphens, 1-63, no hyphen at either end.

    Source: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftsql
    """
    if not _matches(LOGICAL_SERVER, name):
        raise _refuse(
            name,
            "a logical server's name",
            "1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end",
        )
    return _public(name, "a logical server's name")


def _public(name: str, noun: str) -> str:
    """No trademark in the name of something with an address of its own: Azure answers ReservedResourceName.

    Source: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-reserved-resource-name
    """
    lowered = name.lower()
    for word in ("microsoft", "windows"):
        if word in lowered:
            raise _refuse(name, noun, f'Azure reserves the word "{word}"')
    if lowered.startswith("login"):
        raise _refuse(name, noun, 'Azure takes no name that starts with "login"')
    return name


def host(name: str) -> str:
    """A host name of labels of letters, digits and hyphens, or an IPv4 address; not that of a logical server.

    Source: RFC 1123, 2.1 (a label has at most 63 characters, a name 253; its last label is not all digits).
    """
    noun = "a host name"
    if "\\" in name:
        raise _refuse(name, noun, "instead of the name of an instance, give the port that the instance listens on")
    if ":" in name or "/" in name or "," in name:
        raise _refuse(name, noun, "the name alone, such as sql01.contoso.com; the port has a key of its own, port")
    labels = name.split(".")
    if labels[-1].isdigit():
        return ipv4(name)
    if len(name) > 253 or not all(_matches(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", each) for each in labels):
        raise _refuse(name, noun, "labels of 1 to 63 letters, digits and hyphens, such as sql01.contoso.com")
    lowered = name.lower()
    if re.search(r"\.database\.(windows\.net|usgovcloudapi\.net|chinacloudapi\.cn)$", lowered):
        raise _refuse(name, "a machine's name", "it is that of a logical server: name it in sql.server")
    return lowered


def database(name: str) -> str:
    """1-128 characters, none of `<>*%&:\\/?` or control characters, no period or space at the end; no system database.

    Source: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftsql;
    error 40636 ("Cannot use reserved database name").
    """
    noun = "a database's name"
    if not _matches(DATABASE, name) or len(name) > 128 or _controls(name):
        raise _refuse(
            name,
            noun,
            r"1 to 128 characters, none of < > * % & : \ / ? nor a control character, no period or space at the end",
        )
    if name.lower() in _RESERVED_DATABASES:
        raise _refuse(name, noun, "it is one of the server's own databases")
    return name


def resource_group(name: str) -> str:
    """1-90 letters and digits of any script, `_`, `-`, `.`, `(`, `)`; no period at the end.

    Source: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftresources
    (letters and digits are those of .NET's Char.IsLetterOrDigit).
    """
    allowed = all(c in "_-.()" or unicodedata.category(c) in {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"} for c in name)
    if not 1 <= len(name) <= 90 or not allowed or name.endswith("."):
        raise _refuse(
            name,
            "a resource group's name",
            "1 to 90 letters, digits, hyphens, underscores, periods and parentheses, with no period at the end",
        )
    return name


def vault(name: str) -> str:
    """3-24 letters, digits and hyphens; starts with a letter, ends with a letter or digit, no two hyphens in a row.

    Source: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftkeyvault
    """
    noun = "a key vault's name"
    if not _matches(VAULT, name) or len(name) > 24:
        raise _refuse(
            name,
            noun,
            "3 to 24 letters, digits and hyphens, starting with a letter, ending with a letter or digit, "
            "with no two hyphens in a row",
        )
    return _public(name, noun)


def secret(name: str) -> str:
    """1-127 letters, digits and hyphens.

    A text that is refused is not repeated: it may be the secret itself, put here by mistake.
    Source: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftkeyvault
    """
    if not _matches(SECRET, name):
        raise ValueError(
            "what stands here is not a secret's name: 1 to 127 letters, digits and hyphens "
            "(the name of the secret in the vault; its value has no place in this file)"
        )
    return name


def firewall_rule(name: str) -> str:
    """1-128 characters, none of `<>*%&:;\\/?` or control characters, no period at the end; the kit's own names refused.

    Source: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftsql
    """
    noun = "a name for a firewall rule"
    if not _matches(FIREWALL_RULE, name) or len(name) > 128 or _controls(name) or name != name.strip():
        raise _refuse(
            name,
            noun,
            r"1 to 128 characters, none of < > * % & : ; \ / ? nor a control character, "
            "no space at either end, no period at the end",
        )
    if name.lower() == ALLOW_AZURE_SERVICES_RULE.lower():
        raise _refuse(name, noun, "that rule is made by allow_azure_services: true")
    if name.lower().startswith(KIT_RULE_PREFIXES):
        raise _refuse(name, noun, "names that start so are those of the rules that the kit itself makes")
    return name


def login(name: str) -> str:
    """1-128 characters of any script; no backslash, control character or blank at an end; reserved names refused.

    Source: https://learn.microsoft.com/sql/t-sql/statements/create-login-transact-sql (a login is a sysname; a
    backslash marks a Windows account, error 15006) and the names Azure SQL keeps for itself (error 40623
    and the portal's rules). Quotes, brackets and other scripts are as good as letters.
    """
    noun = "a login's name"
    # SQL Server counts UTF-16 code units, and ignores blanks at the end when it compares names.
    if not 1 <= len(name.encode("utf-16-le", "surrogatepass")) // 2 <= 128:
        raise _refuse(name, noun, "1 to 128 characters")
    if "\\" in name or _controls(name):
        raise _refuse(name, noun, "no backslash and no control character")
    if name != name.strip():
        raise _refuse(name, noun, "no blank at either end")
    if name.lower() in _RESERVED_LOGINS or name.startswith("##"):
        raise _refuse(name, noun, "Azure SQL keeps this name for itself")
    return name


def administrator(name: str) -> str:
    """A login's name, or `sa`.

    Source: as that of a login; `sa` administers a SQL Server that is no logical server of Azure.
    """
    return name if name.lower() == "sa" else login(name)


def export_user(name: str) -> str:
    """A login's name, short enough that the second name, which a rotation gives the user in turn, is one as well."""
    longest = 128 - len(SUFFIX)
    if len(name.encode("utf-16-le", "surrogatepass")) // 2 > longest:
        raise _refuse(name, "the export user's name", f"1 to {longest} characters: a rotation appends {SUFFIX}")
    return login(name)


def schema(name: str) -> str:
    """ASCII letters and digits, 1-128: what the service takes as DestinationSchemaName. `sys` and `guest` refused.

    Source: the service's API description; sysname's length.
    """
    if not _matches(SCHEMA, name):
        raise _refuse(name, "a destination schema", "the export service takes letters a-z and digits only, 1 to 128")
    if name.lower() in _RESERVED_SCHEMAS:
        raise _refuse(name, "a destination schema", "it is one of the database's own")
    return name


def prefix(text: str) -> str:
    """ASCII letters and digits, under 15 of them; may be empty.

    Source: the service's API description (DestinationPrefix).
    """
    if not _matches(PREFIX, text):
        raise _refuse(text, "a prefix", "the export service takes letters a-z and digits only, at most 14, or nothing")
    return text


def profile(name: str) -> str:
    """1-128 characters without control characters or a blank at an end.

    Source: none is public; the rule is assumed.
    """
    if not 1 <= len(name) <= 128 or _controls(name) or name != name.strip():
        raise _refuse(name, "a profile's name", "1 to 128 characters, no control character, no blank at either end")
    return name


def entity(name: str) -> str:
    """A logical name: lower-case letters, digits and underscores, a letter first.

    Source: https://learn.microsoft.com/power-apps/developer/data-platform/entity-metadata (logical names are the
    schema name in lower case). `activitypointer` is never exported (the export service's documentation). The length,
    so that the procedure `spMerge<prefix>_<entity>` stays within SQL Server's 128 characters, is ours.
    """
    if not _matches(ENTITY, name) or len(name) > 100:
        raise _refuse(
            name,
            "an entity's logical name",
            "lower-case letters, digits and underscores, a letter first, at most 100, such as account",
        )
    if name == "activitypointer":
        raise ValueError(
            "activitypointer is never exported: name the activities themselves, such as email, phonecall or task"
        )
    return name


def relationship(name: str) -> str:
    """The schema name of an N:N relationship: letters, digits and underscores, a letter first, at most 100.

    Source: https://learn.microsoft.com/power-apps/developer/data-platform/customize-entity-relationship-metadata
    """
    if not _matches(RELATIONSHIP, name) or len(name) > 100:
        raise _refuse(
            name,
            "a relationship's schema name",
            "letters, digits and underscores, a letter first, at most 100, such as contactleads_association",
        )
    return name


def tag_name(name: str) -> str:
    """A tag's name: 1-512 characters, none of `<>%&\\?/` or control characters.

    Some beginnings are Azure's own, one name is the kit's.
    Source: https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
    """
    if not 1 <= len(name) <= 512 or re.search(r"[<>%&\\?/]", name) or _controls(name) or not name.strip():
        raise _refuse(name, "a tag's name", r"1 to 512 characters, none of < > % & \ ? / nor a control character")
    if name.lower().startswith(("microsoft", "azure", "windows")):
        raise _refuse(name, "a tag's name", "Azure keeps names that start so for itself")
    if name.lower() == KIT_TAG:
        raise _refuse(name, "a tag to choose", "setup-kit itself sets that tag, to the name of the environment")
    return name


def tag_value(value: str) -> str:
    """A tag's value: at most 256 characters."""
    if len(value) > 256:
        raise ValueError(f"is {len(value)} characters long: the value of a tag has at most 256")
    return value


def tags(values: Mapping[str, str]) -> dict[str, str]:
    """At most 50, their names told apart without regard to case."""
    if len(values) > 50:
        raise ValueError(f"a resource holds at most 50 tags, and here are {len(values)}")
    twice = first_duplicate(values)
    if twice is not None:
        raise ValueError(f"the tag {shown(twice)} is there twice: Azure does not tell upper from lower case in names")
    return dict(values)


def first_duplicate(texts: Iterable[str]) -> str | None:
    """The first text that repeats an earlier one but for case."""
    seen: set[str] = set()
    for text in texts:
        if text.lower() in seen:
            return text
        seen.add(text.lower())
    return None


def location(text: str) -> str:
    """An Azure region in its normal form: `West Europe` becomes `westeurope`.

    Source: https://learn.microsoft.com/azure/reliability/regions-list (the programmatic name). Which regions a
    subscription has is for Azure to say.
    """
    normal = text.replace(" ", "").lower()
    if not _matches(r"[a-z][a-z0-9]{1,49}", normal):
        raise _refuse(text, "an Azure region", "letters and digits, such as westeurope")
    return normal


def ipv4(text: str) -> str:
    """A dotted IPv4 address: server firewall rules of Azure SQL know no other.

    Source: https://learn.microsoft.com/azure/azure-sql/database/firewall-configure#server-level-ip-firewall-rules
    """
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        raise _refuse(text, "an IPv4 address", "four numbers from 0 to 255, such as 203.0.113.7") from None
    if address == ipaddress.IPv4Address("0.0.0.0"):  # noqa: S104 -- an address range, nothing is bound
        raise ValueError("0.0.0.0 stands for Azure's own services: say allow_azure_services: true instead")
    return text


def everybody(start: object, end: object) -> bool:
    """Whether a range is the whole Internet; its first address alone would mean Azure's services."""
    return (start, end) == ("0.0.0.0", "255.255.255.255")  # noqa: S104 -- an address range, nothing is bound


def ipv4_range(start: str, end: str) -> None:
    """Refuses a range that ends before it starts."""
    if ipaddress.IPv4Address(start) > ipaddress.IPv4Address(end):
        raise ValueError(f"the range ends before it starts: {start} is higher than {end}")


def address(url: str, *, path: bool = False) -> str:
    """An https address without user, query or fragment, its host in lower case, without a slash at the end.

    `path` allows one. Source: tokens are never sent in clear; Dataverse's organization URL is scheme and host.
    """
    rule = "https://, a host" + (", perhaps a path" if path else " and nothing after it")
    rule += ", such as https://contoso.crm4.dynamics.com"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refuse(url, "an address", rule) from None
    host = parts.hostname or ""
    if "@" in parts.netloc or parts.query or parts.fragment or url != url.strip() or _controls(url):
        # Not repeated: what stands before an @, or in a query, may be a password or a signature.
        raise ValueError(f"what stands here is not a plain address: {rule}")
    if parts.scheme != "https":
        raise _refuse(url, "an address", rule)
    labels = host.split(".")
    if not host or not all(_matches(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label) for label in labels):
        raise _refuse(url, "an address", rule)
    rest = parts.path.rstrip("/")
    if rest and not path:
        raise _refuse(url, "an address", rule)
    return f"https://{host}{'' if port is None else f':{port}'}{rest}"


def sku(name: str) -> str:
    """A database's SKU as Azure names it: Basic, S0-S12, P1-P15, or tier_family_vCores such as GP_Gen5_2.

    Source: `az sql db list-editions`; https://learn.microsoft.com/azure/azure-sql/database/purchasing-models
    """
    if name in DTU_SKUS or _matches(VCORE_SKU, name):
        return name
    known = {candidate.lower(): candidate for candidate in DTU_SKUS}
    if name.lower() in known:
        raise _refuse(name, "a database's SKU", f"it is written {known[name.lower()]}")
    raise _refuse(
        name,
        "a database's SKU",
        f"one of {', '.join(DTU_SKUS)}, or tier, hardware and vCores such as GP_Gen5_2, GP_S_Gen5_1 or BC_Gen5_4",
    )


def most_gigabytes(sku_name: str) -> int:
    """The largest database that the SKU can hold, in GB."""
    if sku_name in DTU_SKUS:
        return DTU_SKUS[sku_name]
    return HYPERSCALE_GB if sku_name.startswith("HS_") else VCORE_GB


def environment(name: str) -> str:
    """An environment's own name: 1-64 letters and digits of any script, `-`, `_`, `.`.

    It becomes a file's and a folder's name and a word on command lines: no separator, no blank, no period at an end,
    no hyphen at the start.
    """
    allowed = all(c in "-_." or unicodedata.category(c) in {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"} for c in name)
    if not 1 <= len(name) <= 64 or not allowed or name.startswith((".", "-")) or name.endswith("."):
        raise _refuse(
            name,
            "an environment's name",
            "1 to 64 letters, digits, hyphens, underscores and periods, with no period at either end and no hyphen"
            " at the start",
        )
    if name.lower().endswith((".yaml", ".yml")):
        raise _refuse(name, "an environment's name", "the suffix of its file is not part of it")
    return name
