"""The HTML report as text: what it says, and that nothing breaks out of it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from setup_kit.engine.resource import Finding, Status
from setup_kit.errors import UsageError
from setup_kit.report.diagram import RULES_SHOWN, draw
from setup_kit.report.html import check_writable, render_verification, split_remedy, write_verification
from tests.unit.report.verification import FACTS, FINDINGS, HOSTILE, hostile, verification

VOID = {"meta", "link", "br", "img"}
SVG = {"circle", "rect", "path"}


class Outline(HTMLParser):
    """The elements of a page, with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.headings: list[str] = []
        self._heading = ""
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag in ("h1", "h2"):
            self.headings.append(self._heading.strip())
            self._heading = ""

    def handle_data(self, data: str) -> None:
        self.text += data
        if {"h1", "h2"} & set(self._open):
            self._heading += data

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}


def test_hostile_names_are_text_and_nothing_else() -> None:
    page = render_verification(hostile())
    outline, harmless = Outline(page), Outline(render_verification(verification()))
    assert outline.tags <= harmless.tags
    names = {name for _, attributes in outline.elements for name in attributes}
    assert names == {name for _, attributes in harmless.elements for name in attributes}
    assert "<script" not in page
    assert "49" not in {word for word in outline.text.split() if "7" not in word}
    assert outline.text.count("<script>console.error(1)</script>") > 20


def test_no_element_fetches_anything_and_no_script_may_run() -> None:
    outline = Outline(render_verification(hostile()))
    sources = [
        value for _, attributes in outline.elements for name, value in attributes.items() if name in ("src", "href")
    ]
    assert sources == ["data:,"]
    assert outline.tags.isdisjoint({"script", "iframe", "object", "embed", "form", "base", "img"})
    policies = [attributes.get("content") or "" for tag, attributes in outline.elements if tag == "meta"]
    assert any("default-src 'none'" in policy for policy in policies)


def test_what_failed_comes_first_with_severity_evidence_and_the_command_to_type() -> None:
    page = render_verification(verification())
    text = " ".join(Outline(page).text.split())
    order = [text.index(words) for words in ("Not passed", "What needs attention", "holds CONTROL", "maxdop is 8")]
    assert order == sorted(order)
    assert text.index("maxdop is 8") < text.index("their-rule admits") < text.index("The rest")
    assert "seen: CONTROL on schema dbo" in text
    assert "setup-kit apply -e prod" in text
    assert "REVOKE CONTROL ON SCHEMA::[dbo] FROM [dataexport]" in text


@pytest.mark.parametrize(
    ("findings", "strict", "interrupted", "words"),
    [
        (FINDINGS, False, False, "2 of 5 findings failed"),
        (FINDINGS[:1], False, False, "neither less nor more"),
        (FINDINGS[2:3], False, False, "Nothing failed; 1 to be looked at"),
        (FINDINGS[2:3], True, False, "warnings count (--strict)"),
        (FINDINGS[:1], False, True, "interrupted"),
    ],
)
def test_the_verdict_says_why(findings: tuple[Finding, ...], strict: bool, interrupted: bool, words: str) -> None:
    document = verification(findings, strict=strict, interrupted=interrupted)
    assert words in Outline(render_verification(document)).text


def test_the_page_has_language_title_headings_and_named_columns() -> None:
    outline = Outline(render_verification(verification()))
    assert ("html", {"lang": "en"}) in outline.elements
    assert outline.headings[:4] == ["Verification of prod", "Summary", "What was provisioned", "What needs attention"]
    headers = [attributes.get("scope") for tag, attributes in outline.elements if tag == "th"]
    assert set(headers) == {"col", "row"}
    (svg,) = [attributes for tag, attributes in outline.elements if tag == "svg"]
    identifiers = {attributes["id"] for _, attributes in outline.elements if attributes.get("id")}
    assert svg["role"] == "img"
    assert set(str(svg["aria-labelledby"]).split()) <= identifiers


def test_the_diagram_is_well_formed_even_with_hostile_names() -> None:
    page = render_verification(hostile())
    svg = page[page.index("<svg") : page.index("</svg>") + 6]
    # XML has no zero bytes at all, HTML shows them as a sign.
    ET.fromstring(svg.replace("\0", ""))  # noqa: S314 - our own


def test_the_diagram_of_a_machine_has_no_firewall() -> None:
    machine = {
        "machine": True,
        "there": True,
        "name": "sql01.contoso.com",
        "address": "sql01.contoso.com,1433",
        "version": "SQL Server 2022 (16.0.1000)",
    }
    diagram = draw({**FACTS, "sql_server": machine, "firewall": None}, verification()["findings"])
    assert "Firewall" not in {box.what for box in diagram.boxes}
    (box,) = [box for box in diagram.boxes if box.what == "SQL Server on a virtual machine"]
    assert [line.whole for line in box.lines] == ["sql01.contoso.com,1433", "SQL Server 2022 (16.0.1000)"]
    assert "SQL Server at sql01.contoso.com" in diagram.description


def test_the_diagram_marks_each_box_with_the_worst_that_was_found_about_it() -> None:
    diagram = draw(FACTS, verification()["findings"])
    marks = {box.what.partition(" (")[0]: box.status for box in diagram.boxes}
    assert marks["Export user"] == "failed"
    assert marks["Firewall"] == "warning"
    assert marks["Database"] == "failed"
    assert marks["Key vault"] == "skipped"
    assert "13 of 13 grants" in diagram.description


def test_long_names_are_cut_to_their_box_and_kept_whole_in_its_title() -> None:
    facts = {**FACTS, "database": {"there": False, "name": "ß" * 60 + "漢" * 68, "evidence": None}}
    diagram = draw(facts, [])
    (database,) = [box for box in diagram.boxes if box.what == "Database"]
    assert len(database.title.text) < 40
    assert database.title.text.startswith("ß")
    assert database.title.text.endswith("漢")
    assert "ß" * 60 + "漢" * 68 in database.whole
    assert "not there" in database.whole


def test_many_firewall_rules_end_with_how_many_more_there_are() -> None:
    (firewall,) = [box for box in draw(FACTS, []).boxes if box.what == "Firewall"]
    assert len(firewall.lines) == RULES_SHOWN
    assert firewall.lines[-1].text == "and 5 more"


@pytest.mark.parametrize(
    ("remedy", "command", "words"),
    [
        ("setup-kit apply -e prod", "setup-kit apply -e prod", ""),
        ("setup-kit apply -e 'my file.yaml', which mends it", "setup-kit apply -e 'my file.yaml'", "which mends it"),
        ("az x -n 'a, b; c'", "az x -n 'a, b; c'", ""),
        ("set another profile.name", "", "set another profile.name"),
    ],
)
def test_a_remedys_command_can_be_copied_alone(remedy: str, command: str, words: str) -> None:
    assert split_remedy(remedy) == (command, words)


def test_a_name_that_no_encoding_knows_is_written_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_verification(file, verification([Finding("x", Status.FAILED, "x/y", "half a pair: \ud83d")]))
    assert "\\ud83d" in file.read_text(encoding="utf-8")


def test_a_folder_that_is_missing_is_said_before_the_work(tmp_path: Path) -> None:
    check_writable(tmp_path / "report.html")
    with pytest.raises(UsageError, match="is not there"):
        check_writable(tmp_path / "nowhere" / "report.html")


def test_hostile_names_leave_the_document_of_the_report_as_they_are() -> None:
    assert hostile()["environment"] == HOSTILE
