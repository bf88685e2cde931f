from __future__ import annotations

from collections.abc import Callable

import pytest

from setup_kit.environment import names
from setup_kit.environment.regions import SERVICE_ADDRESSES, service_addresses

Rule = Callable[[str], str]

TAKEN: list[tuple[Rule, list[str]]] = [
    (names.logical_server, ["a", "0", "sql-contoso-1", "a--b", "a" * 63]),
    (names.database, ["crm", "o'brien", "x]; DROP TABLE t--", "Ünïcode 表", " a", "a" * 128]),
    (names.resource_group, ["rg", "Rg_(1).x-", "Gruppe-Süd", "資源", "a" * 90]),
    (names.vault, ["abc", "kv-contoso", "K1-2-3", "a" * 24]),
    (names.secret, ["a", "-", "data-export-connection", "a" * 127]),
    (names.firewall_rule, ["office", "Büro 7", "a" * 128, "it's [x]"]),
    (names.login, ["dataexport", "x]; DROP TABLE t--", "o'brien", "Ünïcode 表", "saint", "表" * 128, "a b"]),
    (names.schema, ["dbo", "Sales2", "2019", "a" * 128]),
    (names.prefix, ["", "a", "crm", "a" * 14, "123"]),
    (names.profile, ["Contoso CRM", "x", "o'brien", "表"]),
    (names.entity, ["account", "new_thing2", "a"]),
    (names.relationship, ["contactleads_association", "new_Account_Contact"]),
    (names.tag_name, ["owner", "Kostenstelle ü"]),
    (names.ipv4, ["127.0.0.1", "255.255.255.255", "0.0.0.1"]),
    (names.address, ["https://contoso.crm4.dynamics.com", "https://127.0.0.1:4711"]),
    (names.sku, ["Basic", "S0", "P15", "GP_Gen5_2", "GP_S_Gen5_1", "BC_Gen5_80", "HS_PRMS_128"]),
    (names.environment, ["prod", "eu-1_b.c", "größe-2", "表", "_a", "a" * 64]),
]

REFUSED: list[tuple[Rule, list[str]]] = [
    (
        names.logical_server,
        ["", "A", "a_b", "-a", "a-", "a.b", "a" * 64, "ü", "a\n", "microsoft-1", "my-windows", "login1"],
    ),
    (
        names.database,
        ["", "a.", "a ", "a/b", "a?b", "a\\b", "a:b", "a%b", "a\tb", "a\n", "master", "TempDB", "a" * 129],
    ),
    (names.resource_group, ["", "a.", "a b", "a/b", "a" * 91, "o'brien", "a\n", "½"]),
    (names.vault, ["", "ab", "1ab", "-ab", "ab-", "a--b", "a_b", "a" * 25, "abc\n", "loginvault", "kv-Microsoft"]),
    (names.secret, ["", "a_b", "a b", "a.b", "ü", "a" * 128, "a\n"]),
    (
        names.firewall_rule,
        [
            "",
            "a.",
            "a;b",
            "a/b",
            " a",
            "a ",
            "a\x00",
            "AllowAllWindowsAzureIps",
            "Setup-Kit-Operator-x",
            "data-export-service-x",
            "a" * 129,
        ],
    ),
    (
        names.login,
        [
            *("", " ", " a", "a ", "a\\b", "a\x00b", "a\nb", "a\x7f", "a\x85b", "\ud800", "a" * 129, "😀" * 65),
            *("sa", "SA", "admin", "Administrator", "root", "guest", "public", "dbmanager", "loginmanager", "dbo"),
            *("sys", "INFORMATION_SCHEMA", "db_owner", "##MS_x##"),
        ],
    ),
    (
        names.schema,
        ["", "a_b", "a b", "Ünïcode", "表", "o'brien", "x]; DROP TABLE t--", "a" * 129, "sys", "Guest", "a\n", "٣"],
    ),
    (
        names.prefix,
        ["a" * 15, "a_", "a b", "Ünïcode 表", "o'brien", "x]; DROP TABLE t--", "a\n", "²", "٣"],
    ),
    (names.profile, ["", " a", "a ", "a\nb", "a" * 129]),
    (names.entity, ["", "Account", "1a", "_a", "a-b", "a b", "activitypointer", "account\n", "a" * 101, "ä"]),
    (names.relationship, ["", "1a", "a-b", "a.b", "a\n"]),
    (
        names.tag_name,
        ["", " ", "a/b", "a?", "<x>", "azure-x", "Microsoft", "windows1", "setup-kit", "Setup-Kit", "a" * 513],
    ),
    (names.ipv4, ["", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4/24", "::1", "localhost", "0.0.0.0", " 1.2.3.4"]),  # noqa: S104
    (
        names.address,
        [
            *(
                "",
                "contoso",
                "http://contoso.com",
                "https://",
                "https:///x",
                "https://contoso.com/x",
                "https://a b.com",
            ),
            *(
                "https://contoso.com?x=1",
                "https://contoso.com#x",
                "https://u:p@contoso.com",
                "https://contoso.com:99999",
            ),
            *(" https://contoso.com", "https://-a.com", "https://a..com", "https://contoso.com\n", "ftp://contoso.com"),
        ],
    ),
    (names.sku, ["", "p1", "P3", "S5", "Premium", "ElasticPool", "DW100c", "GP_Gen5", "gp_gen5_2", "P1 "]),
    (names.environment, ["", ".", "..", ".x", "a b", "a/b", "a\\b", "a.", "a ", "-a", "a\n", "a" * 65, "a.yaml", "½"]),
    (names.location, ["", "1", "west/europe", "Ünïcode"]),
]


@pytest.mark.parametrize(("rule", "name"), [(rule, name) for rule, each in TAKEN for name in each])
def test_a_name_the_cloud_takes_is_taken_as_it_is(rule: Rule, name: str) -> None:
    assert rule(name) == name


@pytest.mark.parametrize(("rule", "name"), [(rule, name) for rule, each in REFUSED for name in each])
def test_a_name_the_cloud_forbids_is_refused_in_one_printable_sentence(rule: Rule, name: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        rule(name)
    assert str(caught.value).isprintable()


def test_a_long_name_is_cut_in_the_message() -> None:
    with pytest.raises(ValueError, match=r"\.\.\.") as caught:
        names.prefix("x" * 5000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["West Europe", "westeurope", "WestEurope", "WESTEUROPE"])
def test_a_location_is_put_in_its_normal_form(text: str) -> None:
    assert names.location(text) == "westeurope"


def test_a_range_may_hold_one_address() -> None:
    names.ipv4_range("10.0.0.9", "10.0.0.9")
    names.ipv4_range("10.0.0.9", "10.0.0.10")
    with pytest.raises(ValueError, match="ends before it starts"):
        names.ipv4_range("10.0.0.10", "10.0.0.9")


def test_too_many_tags_are_refused() -> None:
    assert len(names.tags({f"t{i}": "" for i in range(50)})) == 50
    with pytest.raises(ValueError, match="at most 50"):
        names.tags({f"t{i}": "" for i in range(51)})
    with pytest.raises(ValueError, match="there twice"):
        names.tags({"Owner": "a", "owner": "b"})


def test_what_fits_into_a_sku() -> None:
    assert [names.most_gigabytes(sku) for sku in ("Basic", "S2", "P1", "P15", "GP_Gen5_2")] == [
        2,
        250,
        1024,
        4096,
        4096,
    ]
    assert names.most_gigabytes("HS_Gen5_2") > 4096


@pytest.mark.parametrize("region", ["East US", "West US", "North America"])
def test_north_america_is_served_from_both_sides(region: str) -> None:
    assert set(service_addresses(region)) == {"East US", "West US"}


def test_every_service_address_is_one_that_a_rule_may_hold() -> None:
    for address in SERVICE_ADDRESSES.values():
        names.ipv4(address)
