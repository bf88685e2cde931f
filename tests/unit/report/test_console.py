"""What people and programs are shown."""

from __future__ import annotations

import io
import json

import pytest

from setup_kit.engine.planner import Known, Plan, Planned
from setup_kit.engine.resource import Action, Change, Finding, Resource, Status
from setup_kit.errors import KitError
from setup_kit.report.console import (
    PatientConsole,
    counted,
    make_console,
    show_error,
    show_findings,
    show_plan,
    show_table,
)
from setup_kit.report.documents import findings_document, plan_document
from setup_kit.secret import Secret


class Secretive(Resource[str]):
    kind = "secret"

    def read(self) -> str | None:
        return None

    def diff(self, observed: str | None) -> list[Change]:
        return [
            Change(self.address, Action.CREATE, detail={"password": Secret("hunter2!"), "user": "dataexport"}),
            Change(
                self.address,
                Action.UPDATE,
                "value",
                Secret("hunter2!"),
                Secret("hunter3!"),
                why="[bold]it leads[/] elsewhere",
            ),
            Change(self.address, Action.DELETE, "tag x", "y", None, destructive=True),
        ]

    def apply(self, change: Change) -> str:
        return ""

    def delete(self, observed: str) -> None:
        return None


@pytest.fixture
def plan() -> Plan:
    resource = Secretive("connection")
    return Plan((resource,), {resource: Planned(resource, Known.READ, tuple(resource.diff(None)))})


def shown(plan: Plan) -> str:
    file = io.StringIO()
    show_plan(make_console(file), "dev", plan)
    return file.getvalue()


def test_a_plan_hides_secrets_and_shows_the_rest(plan: Plan) -> None:
    text = shown(plan)
    assert "hunter" not in text
    assert "password: ***" in text
    assert "value: *** → ***" in text
    assert "destructive" in text
    assert "1 to create, 1 to update, 1 to delete, 0 unchanged" in text


def test_text_of_others_is_never_taken_for_markup(plan: Plan) -> None:
    assert "[bold]it leads[/] elsewhere" in shown(plan)


def test_the_document_of_a_plan_has_summary_and_changes_and_no_secret(plan: Plan) -> None:
    text = json.dumps(plan_document("dev", plan))
    assert "hunter" not in text
    document = json.loads(text)
    assert document["summary"] == {"created": 1, "updated": 1, "deleted": 1, "unchanged": 0, "deferred": 0}
    assert [change["action"] for change in document["changes"]] == ["create", "update", "delete"]


def test_an_error_shows_what_why_next_and_the_original() -> None:
    file = io.StringIO()
    error = KitError(
        "the vault is not there",
        why="it was deleted",
        remedy="setup-kit apply",
        link="https://learn.microsoft.com/a",
        original="VaultNotFound [x]",
    )
    show_error(make_console(file), error)
    assert file.getvalue().splitlines() == [
        "error: the vault is not there",
        "  it was deleted",
        "  → setup-kit apply",
        "    https://learn.microsoft.com/a",
        "  VaultNotFound [x]",
    ]


def test_a_link_is_grey_and_stays_whole_in_a_narrow_terminal() -> None:
    file = io.StringIO()
    link = f"https://learn.microsoft.com/{'long/' * 20}page"
    console = PatientConsole(file=file, force_terminal=True, width=60, soft_wrap=True, highlight=False)
    show_error(console, KitError("it failed", link=link))
    assert f"\x1b[90m{link}\x1b[0m" in file.getvalue()


def test_a_finding_s_page_to_read_on_stands_whole_below_its_remedy() -> None:
    file, link = io.StringIO(), f"https://learn.microsoft.com/{'long/' * 20}page"
    found = Finding("login", Status.FAILED, "login/x", "it is locked", "unlock it", link=link)
    show_findings(make_console(file), [found])
    lines = [line.strip() for line in file.getvalue().splitlines()]
    assert lines[-2:] == ["→ unlock it", link]
    (told,) = findings_document("dev", [found])["findings"]
    assert told["link"] == link


def test_findings_show_their_remedy_only_when_something_is_wrong() -> None:
    findings = [
        Finding("grants", Status.PASSED, "grants/x", "as wanted", "nothing"),
        Finding("grants.missing", Status.FAILED, "grants/x", "INSERT is missing", "setup-kit apply"),
    ]
    file = io.StringIO()
    show_findings(make_console(file), findings)
    assert "nothing" not in file.getvalue()
    assert "INSERT is missing" in file.getvalue()
    assert "→ setup-kit apply" in file.getvalue()
    assert findings_document("dev", findings)["summary"] == {"passed": 1, "warning": 0, "failed": 1, "skipped": 0}


def test_a_table_keeps_its_columns_in_a_pipe() -> None:
    file = io.StringIO()
    show_table(make_console(file), "Rows", ["entity", "rows"], [["account", "1,200"], ["contact", "7"]])
    assert file.getvalue().splitlines()[1:] == ["entity    rows", "account  1,200", "contact      7"]


def test_one_is_told_in_the_singular() -> None:
    assert [counted(number, "warning") for number in (0, 1, 2000)] == ["0 warnings", "1 warning", "2,000 warnings"]
