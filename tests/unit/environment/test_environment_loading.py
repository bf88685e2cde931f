from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from setup_kit.environment.cloud import cloud_of
from setup_kit.environment.loading import available, load, locate
from setup_kit.environment.models import Activate, Authentication, Environment
from setup_kit.environment.problems import EnvironmentFileError, Problem
from setup_kit.errors import ExitCode, UsageError

Loads = Callable[[str], Environment]
Problems = Callable[..., tuple[Problem, ...]]
Write = Callable[..., Path]


def only(problems: tuple[Problem, ...]) -> Problem:
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


def test_a_good_file_is_read_with_the_defaults_filled_in(loaded: Loads, good: str) -> None:
    environment = loaded(good)
    assert environment.tenant == UUID("11111111-2222-3333-4444-555555555551")
    assert environment.sql.server == "sql-contoso"
    assert environment.sql.export_user.schema_name == environment.profile.schema_name == "dbo"
    assert environment.sql.export_user.authentication is Authentication.LOGIN
    assert environment.sql.database.sku == "P1"
    assert environment.profile.retry.count == 12
    assert environment.profile.activate is Activate.ALL


def test_a_name_is_a_file_in_the_environments_folder(tmp_path: Path, write: Write, good: str) -> None:
    path = write(good, "prod.yml")
    found = load("prod", tmp_path)
    assert (found.name, found.path) == ("prod", path)


@pytest.mark.parametrize("given", ["environments/prod.yaml", "./environments/prod.yaml"])
def test_a_path_is_taken_as_it_is(tmp_path: Path, write: Write, good: str, given: str) -> None:
    write(good)
    assert load(given, tmp_path).name == "prod"


def test_an_absolute_path_is_taken_from_anywhere(tmp_path: Path, write: Write, good: str) -> None:
    assert load(str(write(good))).name == "prod"


def test_a_misspelt_name_is_met_with_the_right_one(tmp_path: Path, write: Write, good: str) -> None:
    write(good, "production.yaml")
    with pytest.raises(UsageError) as caught:
        load("prodution", tmp_path)
    assert caught.value.exit_code == ExitCode.USAGE
    assert "did you mean production?" in caught.value.remedy


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        locate("staging", tmp_path)
    assert "setup-kit init staging" in caught.value.remedy
    with pytest.raises(UsageError, match=r"no environment file .*elsewhere\.yaml"):
        locate("elsewhere.yaml", tmp_path)


def test_a_name_that_means_two_files_is_refused(tmp_path: Path, write: Write, good: str) -> None:
    write(good, "prod.yaml")
    write(good, "prod.yml")
    with pytest.raises(UsageError, match="two files"):
        load("prod", tmp_path)


def test_a_file_name_that_cannot_be_a_folder_is_refused(tmp_path: Path, write: Write, good: str) -> None:
    write(good, "...yaml")
    with pytest.raises(UsageError, match="cannot be used"):
        load("environments/...yaml", tmp_path)


def test_the_environments_there_are_can_be_listed(tmp_path: Path, write: Write, good: str) -> None:
    for name in ("b.yaml", "a.yml", "notes.txt"):
        write(good, name)
    assert available(tmp_path) == ["a", "b"]


def test_all_problems_are_told_at_once_with_file_line_and_key(problems: Problems, good: str, tmp_path: Path) -> None:
    text = good.replace("server: sql-contoso", "server: SQL_Contoso").replace("prefix: crm", "prefx: crm")
    text = text.replace("location: westeurope\n", "")
    found = problems(text)
    assert [(p.line, p.key) for p in found] == [(1, "location"), (6, "sql.server"), (26, "profile.prefx")]
    assert {p.file for p in found} == {tmp_path / "environments" / "prod.yaml"}
    assert "did you mean prefix?" in found[2].message


def test_the_error_shows_every_problem_on_a_line_of_its_own(tmp_path: Path, write: Write, good: str) -> None:
    path = write(good.replace("tenant: 1", "tennant: 1").replace("cloud: public", "cloud: azure"))
    with pytest.raises(EnvironmentFileError) as caught:
        load("prod", tmp_path)
    assert caught.value.exit_code == ExitCode.USAGE
    assert "has 3 problems" in caught.value.what
    assert caught.value.why.splitlines()[0].startswith(f"{path}:1: cloud: must be public, usgov, china or sandbox")


def test_every_missing_key_is_told(problems: Problems) -> None:
    found = problems("sql: {server: s}\nprofile: {}\n")
    assert {p.key for p in found} == {
        *("tenant", "subscription", "location", "resource_group", "key_vault", "dynamics"),
        *("sql.administrator", "sql.database", "profile.name", "profile.entities"),
    }
    assert all("is missing" in p.message for p in found)
    assert next(p for p in found if p.key == "profile.name").line == 2


def test_a_key_in_the_wrong_place_is_sent_to_the_right_one(problems: Problems, good: str) -> None:
    assert "belongs under profile" in only(problems(good + "entities: [lead]\n")).message


@pytest.mark.parametrize(
    ("line", "key", "message"),
    [
        ("location: 12", "location", 'must be text, not the number 12; to mean the text, put it in quotes: "12"'),
        ("location: on", "location", "must be text, not on (which YAML reads as true); to mean the text, put it in"),
        ("location: [a]", "location", "must be text, not a list"),
        ("location:", "location", "has no value"),
        ("tags: []", "tags", "must be a mapping, keys with values, not a list"),
        ("tags: {a: 1}", "tags.a", "must be text, not the number 1"),
        ("export_service: x", "export_service", 'must be a mapping, keys with values, not "x"'),
        ("export_service: {application_id: x}", "export_service.application_id", "must be a GUID such as"),
        ("version: 2", "version", "must be 1, not the number 2"),
        ("version: true", "version", "must be 1, not true"),
        ("version: 1.0", "version", "must be 1, not the number 1.0"),
        ("tags: {Setup-Kit: prod}", "tags.Setup-Kit", "setup-kit itself sets that tag"),
        ("cloud: sandbx", "cloud", 'must be public, usgov, china or sandbox, not "sandbx": did you mean sandbox?'),
        ("cloud: {authority: https://a}", "cloud.graph", "is missing (Microsoft Graph)"),
    ],
)
def test_a_wrong_type_is_said_plainly(problems: Problems, good: str, line: str, key: str, message: str) -> None:
    kept = [each for each in good.splitlines() if not each.startswith(line.split(":")[0] + ":")]
    found = problems("\n".join([line, *kept]))
    told = next(p for p in found if p.key == key)
    assert told.line == 1
    assert message in told.message
    assert all("input" not in p.message and "pydantic" not in p.message for p in found)


@pytest.mark.parametrize(
    ("was", "becomes", "key", "message"),
    [
        ("prefix: crm", "retry: {count: 21}", "profile.retry.count", "must be at most 20, not 21"),
        ("prefix: crm", "retry: {count: '3'}", "profile.retry.count", 'must be a whole number, not "3"'),
        ("prefix: crm", "retry: {interval_seconds: -1}", "profile.retry.interval_seconds", "must be at least 0"),
        ("prefix: crm", "retry: {interval_seconds: 3601}", "profile.retry.interval_seconds", "must be at most 3600"),
        ("prefix: crm", "delete_log: maybe", "profile.delete_log", 'must be true or false, not "maybe"'),
        ("prefix: crm", "activate: alll", "profile.activate", "did you mean all?"),
        ("[account, contact]", "[]", "profile.entities", "at least one"),
        ("[account, contact]", "account", "profile.entities", "must be a list"),
        ("[account, contact]", "[account, contact, account]", "profile.entities", '"account" is there twice'),
        ("[account, contact]", "[account, activitypointer]", "profile.entities[1]", "never exported"),
        ("prefix: crm", "relationships: [A_b, a_B]", "profile.relationships", "there twice"),
        ("prefix: crm", "prefix: abcdefghijklmno", "profile.prefix", "at most 14"),
        ("prefix: crm", "schema: sales", "profile.schema", "must be the same"),
        ("name: crm-export", "{name: a, maxdop: -1}", "sql.database.maxdop", "at least 0"),
        ("name: crm-export", "{name: a, sku: S0, max_size_gb: 500}", "sql.database.max_size_gb", "at most 250 GB"),
        ("name: crm-export", "{name: a, sku: Basic}", "sql.database.max_size_gb", "at most 2 GB, not 250"),
        ("name: crm-export", "{name: a, sku: p1}", "sql.database.sku", "it is written P1"),
        ("West Europe", "West Europ", "sql.firewall.service_region", "did you mean West Europe?"),
        ("West Europe", "Norway East", "sql.firewall.service_region", "Known are Australia East"),
        ("start: 203.0.113.0", "start: 203.0.113.9", "sql.firewall.rules[0].end", "ends before it starts"),
        ("start: 203.0.113.0", "start: 0.0.0.0", "sql.firewall.rules[0].start", "allow_azure_services"),
        (
            "start: 203.0.113.0\n        end: 203.0.113.7",
            "start: 0.0.0.0\n        end: 255.255.255.255",
            "sql.firewall.rules[0].start",
            "every address of the Internet",
        ),
        ("https://contoso.crm4", "http://contoso.crm4", "dynamics.organization_url", "https://"),
        ("dynamics.com", "dynamics.com/main.aspx", "dynamics.organization_url", "nothing after it"),
    ],
)
def test_what_the_clouds_refuse_is_refused_first(
    problems: Problems, good: str, was: str, becomes: str, key: str, message: str
) -> None:
    text = good.replace("  database:\n    name: crm-export", f"  database: {becomes}") if "{name" in becomes else good
    text = text.replace(was, becomes)
    told = only(problems(text))
    assert told.key == key
    assert message in told.message


@pytest.mark.parametrize(
    ("administrator", "message"),
    [
        ("{}", "names no administrator"),
        (
            "{sql_login: boss, entra_group: {name: g, object_id: 11111111-2222-3333-4444-555555555553}}",
            "names two administrators",
        ),
    ],
)
def test_there_is_exactly_one_administrator(problems: Problems, good: str, administrator: str, message: str) -> None:
    start = good.index("  administrator:")
    text = good[:start] + f"  administrator: {administrator}\n" + good[good.index("  database:") :]
    told = only(problems(text))
    assert (told.key, told.line) == ("sql.administrator", 8)
    assert message in told.message


def test_the_export_user_is_not_the_administrator(problems: Problems, good: str) -> None:
    start = good.index("  administrator:")
    for login in ("DataExport", "DataExport_2"):
        text = good[:start] + f"  administrator: {{sql_login: {login}}}\n" + good[good.index("  database:") :]
        assert only(problems(text)).key == "sql.export_user.name"


def test_the_export_users_name_leaves_room_for_its_second_one(problems: Problems, good: str) -> None:
    text = good.replace("  firewall:", f"  export_user: {{name: {'a' * 127}}}\n  firewall:")
    told = only(problems(text))
    assert told.key == "sql.export_user.name"
    assert "1 to 126 characters" in told.message


def test_two_rules_of_one_name_are_refused(problems: Problems, good: str) -> None:
    rule = "      - {name: Office, start: 198.51.100.1, end: 198.51.100.1}\n"
    told = only(problems(good.replace("key_vault:", rule + "key_vault:")))
    assert told.key == "sql.firewall.rules"


@pytest.mark.parametrize("name", ["x]; DROP TABLE t--", "o'brien", "Ünïcode 表", 'say "hi"', "a" * 126, "$(x) `y` %s"])
def test_a_hostile_login_is_carried_exactly(loaded: Loads, good: str, name: str) -> None:
    quoted = "'" + name.replace("'", "''") + "'"
    environment = loaded(good.replace("  firewall:", f"  export_user: {{name: {quoted}}}\n  firewall:"))
    assert environment.sql.export_user.name == name


def test_regions_and_locations_are_put_in_their_normal_form(loaded: Loads, good: str) -> None:
    environment = loaded(
        good.replace("westeurope", "West Europe").replace("West Europe\n    rules", "westeurope\n    rules")
    )
    assert environment.location == "westeurope"
    assert environment.sql.firewall.service_region == "West Europe"


def test_an_organization_url_loses_its_last_slash(loaded: Loads, good: str) -> None:
    environment = loaded(good.replace("https://contoso.crm4.dynamics.com", "https://Contoso.crm4.dynamics.com/"))
    assert environment.dynamics.organization_url == "https://contoso.crm4.dynamics.com"


@pytest.mark.parametrize(
    ("extra", "place"),
    [
        ("client_secret: hunter2-and-more", "AZURE_CLIENT_SECRET"),
        ("connection_string: Server=x;Password=hunter2-and-more", "key vault"),
        ("connectionString: hunter2-and-more", "key vault"),
        ("password: {value: hunter2-and-more}", "key vault"),
        ("tags: {db-password: hunter2-and-more}", "tags"),
        ("tags: {a: 'Server=x;Pwd = hunter2-and-more'}", "looks like one"),
        ("tags: {a: 'https://x.blob.core.windows.net/c?sv=1&sig=hunter2-and-more'}", "looks like one"),
    ],
)
def test_a_secret_is_refused_and_not_repeated(problems: Problems, good: str, extra: str, place: str) -> None:
    told = only(problems(f"{extra}\n{good}"))
    assert told.line == 1
    assert "no secret has a place in the environment file" in told.message
    assert place in told.message
    assert "hunter2" not in str(told)


def test_an_administrators_password_is_sent_to_its_variable(problems: Problems, good: str) -> None:
    told = only(problems(good, "  administrator:\n", "  administrator:\n    password: hunter2-and-more\n"))
    assert told.key == "sql.administrator.password"
    assert "SETUP_KIT_SQL_ADMIN_PASSWORD" in told.message
    assert "hunter2" not in str(told)


@pytest.mark.parametrize("value", ["'hunter2 and more!'", "12345678", "[hunter2]", "{value: hunter2}", "'Pwd=hunter2'"])
def test_a_value_where_the_secrets_name_belongs_is_not_repeated(problems: Problems, good: str, value: str) -> None:
    told = only(problems(good, "  name: kv-contoso\n", f"  name: kv-contoso\n  secret: {value}\n"))
    assert told.key == "key_vault.secret"
    assert "hunter2" not in told.message and "12345678" not in told.message


@pytest.mark.parametrize("url", ["https://me:hunter2@contoso.com", "https://contoso.com?code=hunter2"])
def test_an_address_with_credentials_is_not_repeated(problems: Problems, good: str, url: str) -> None:
    told = only(problems(good, "https://contoso.crm4.dynamics.com", url))
    assert told.key == "dynamics.organization_url"
    assert "hunter2" not in told.message


@pytest.mark.parametrize(
    "value", ["*hunter2", "!hunter2!x", '"hunter2\\q', "[hunter2", "hunter2: x", "&hunter2 *hunter2"]
)
def test_a_password_that_is_no_yaml_is_not_repeated(problems: Problems, good: str, value: str) -> None:
    for problem in problems(f"{good}password: {value}\n"):
        assert "hunter2" not in str(problem)


def test_a_key_cannot_reach_the_terminal(problems: Problems, good: str) -> None:
    told = only(problems(good + '"\\e[31m\\n": 1\n'))
    assert told.key.isprintable()


def test_a_duplicate_key_names_both_lines(problems: Problems, good: str) -> None:
    told = only(problems(good + "tenant: 11111111-2222-3333-4444-555555555555\n"))
    assert (told.line, told.key) == (29, "tenant")
    assert "first on line 2" in told.message


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "is empty"),
        ("# nothing\n", 1, "is empty"),
        ("- a\n", 1, "does not start with a key"),
        ("just text\n", 1, "does not start with a key"),
        ("a: 1\n\tb: 2\n", 2, "tab"),
        ("a: b: c\n", 1, "colon"),
        ("a: [1\nb: 2\n", 2, "is not YAML"),
        ('a: "x\n', 2, "is not YAML"),
        ("a: *nobody\n", 1, "undefined alias"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        (b"a: 1\nb: caf\xe9\n", 2, "UTF-8"),
        ("a: 1\nb: 2\n".encode("utf-16"), 1, "UTF-8"),
        ("a: 1\nb: \x07\n", 2, "U+0007"),
        ("a: " + "[" * 2000, 1, "nested more than"),
        ("a: &a [*a]\n", 1, "inside the very value"),
        ("a: x\n" * 60_000, 0, "larger than"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(problems: Problems, text: str | bytes, line: int, message: str) -> None:
    told = only(problems(text))
    assert told.line == line
    assert message in told.message


def test_aliases_that_explode_are_refused(problems: Problems) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "aliases" in only(problems("\n".join(lines))).message


@pytest.mark.parametrize("tag", ["!secret x", "!!python/object:os.system x", "!!binary aGk=", "!!set {a, b}"])
def test_yaml_tags_are_refused(problems: Problems, good: str, tag: str) -> None:
    assert any("YAML tag" in p.message for p in problems(good + f"tags: {{a: {tag}}}\n"))


def test_anchors_and_merge_keys_work(loaded: Loads, good: str) -> None:
    rules = "    rules:\n      - &r {name: a, start: 192.0.2.1, end: 192.0.2.9}\n      - {<<: *r, name: b}\n"
    text = good[: good.index("    rules:")] + rules + good[good.index("key_vault:") :]
    first, second = loaded(text).sql.firewall.rules
    assert (second.name, second.start, second.end) == ("b", first.start, first.end)


def test_numbers_that_yaml_reads_in_its_own_way_stay_text(loaded: Loads, good: str) -> None:
    environment = loaded(good + "tags: {cost: 0123, opened: 2024-01-31, at: 12:30, '1': x}\n")
    assert environment.tags == {"cost": "0123", "opened": "2024-01-31", "at": "12:30", "1": "x"}


def test_half_a_surrogate_pair_is_refused(problems: Problems, good: str) -> None:
    assert only(problems(good + 'tags: {a: "\\ud800"}\n')).key == "tags.a"


def test_a_directory_cannot_be_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").mkdir()
    with pytest.raises(UsageError):
        load("x.yaml", tmp_path)


def test_a_cloud_of_ones_own_is_read(loaded: Loads, good: str) -> None:
    endpoints = (
        "cloud:\n  authority: https://login.own.example/\n  resource_manager: https://arm.own.example\n"
        "  resource_manager_audience: https://arm.own.example/\n  graph: https://graph.own.example\n"
        "  graph_audience: https://graph.own.example\n  vault_audience: https://vault.own.example\n"
        "  sql_audience: https://sql.own.example/\n  discovery: https://export.own.example:8443/x\n"
    )
    environment = loaded(good.replace("cloud: public\n", endpoints))
    assert not isinstance(environment.cloud, str)
    assert environment.cloud.authority == "https://login.own.example"
    assert environment.cloud.sql_audience == "https://sql.own.example/"
    cloud = cloud_of(environment)
    assert cloud.private_authority
    assert (cloud.graph, cloud.discovery) == ("https://graph.own.example", "https://export.own.example:8443/x")


def test_an_empty_name_is_said_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="what was given is empty"):
        load("", tmp_path)


def test_a_folder_that_is_named_like_an_environment_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "environments" / "dir.yaml").mkdir(parents=True)
    with pytest.raises(UsageError) as caught:
        load("dir", tmp_path)
    assert "did you mean" not in caught.value.remedy


def test_what_is_wrong_between_values_is_told_with_what_is_wrong_in_them(problems: Problems, good: str) -> None:
    start = good.index("    rules:")
    rules = "".join(
        f"      - {{name: {name}, start: 300.1.1.1, end: 192.0.2.1}}\n" for name in ("dock", "dock", "DOCK")
    )
    text = good[:start] + "    rules:\n" + rules + good[good.index("key_vault:") :]
    text = text.replace("555555555553", "nonsense").replace("  administrator:", "  administrator:\n    sql_login: boss")
    text = text.replace("[account, contact]", "[account, Contact, account]\n  schema: sales").replace(
        "prefix: crm", "prefix: c_m"
    )
    found = {(each.key, each.message.partition(":")[0].partition(", but")[0]) for each in problems(text)}
    assert found >= {
        ("sql.administrator", "names two administrators"),
        ("sql.firewall.rules", 'two rules are named "dock"'),
        ("sql.firewall.rules", 'two rules are named "DOCK"'),
        ("profile.entities", '"account" is there twice'),
        ("profile.schema", "the tables go to schema sales"),
    }
    assert {key for key, _ in found} >= {
        *("sql.administrator.entra_group.object_id", "sql.firewall.rules[0].start", "profile.entities[1]"),
        "profile.prefix",
    }


def test_schemas_that_differ_are_told_with_problems_of_both_sections(problems: Problems, good: str) -> None:
    text = good.replace("prefix: crm", "schema: sales").replace("crm-export", "crm/export")
    assert {each.key for each in problems(text)} == {"sql.database.name", "profile.schema"}
