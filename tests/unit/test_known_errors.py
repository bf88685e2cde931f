"""known_errors.yaml: what it may hold, and that every entry says what it must with the values that there are."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from setup_kit import known_errors
from setup_kit.known_errors import KnownErrorsError, Meaning, parse

TEXT = resources.files("setup_kit").joinpath("known_errors.yaml").read_text(encoding="utf-8")
SECTIONS = parse(TEXT)
ENTRIES = [
    pytest.param(name, error, id=f"{name}-{error.codes[0]}-{number}")
    for name, section in SECTIONS.items()
    for number, error in enumerate(section.errors)
]

ENTRY = """
    - code: 4060
      what: it is closed
      why: it is so
      remedy: open it
"""


def one(entries: str, **section: str) -> str:
    head = "".join(f"  {key}: {value}\n" for key, value in section.items())
    return f"sql:\n{head}  errors:{entries}    - {{code: '*', what: a, why: b, remedy: c}}\n"


@pytest.mark.parametrize(("section", "error"), ENTRIES)
def test_every_entry_reads_as_one_sentence_a_next_step_and_a_page_of_microsofts(
    section: str, error: known_errors.KnownError
) -> None:
    for text in (error.what, error.why, error.remedy):
        assert "\n" not in text
        assert text == text.strip()
        assert not re.search(r"[{}]", re.sub(r"\{\w+\}", "", text))
    assert re.fullmatch(r"(https://learn\.microsoft\.com/[a-z0-9/?#.=-]+[a-z0-9])?", error.link)


@pytest.mark.parametrize(("section", "error"), ENTRIES)
def test_every_entry_is_filled_in_with_what_its_service_has_and_tells(
    section: str, error: known_errors.KnownError
) -> None:
    values = {name: f"the-{name}" for name in SECTIONS[section].placeholders(error)}
    told = " ".join(map(str, Meaning(error, values).words.values()))
    assert not re.search(r"\{|<the-|\}", told)
    for name in error.placeholders:
        assert f"the-{name}" in told + Meaning(error, values).filled(error.command)


def test_a_placeholder_without_a_value_is_left_to_the_reader_and_a_value_is_never_read_again() -> None:
    known = parse(one("\n    - {code: 1, what: '{a}', why: b, remedy: 'say {a} of {b}'}\n", given="[a, b]"))
    error = known["sql"].errors[0]
    assert Meaning(error, {"a": "{b}", "b": "x"}).words["remedy"] == "say {b} of x"
    assert Meaning(error, {"a": ""}).words["remedy"] == "say <a> of <b>"


def test_the_file_as_it_is_is_accepted() -> None:
    assert parse(one(ENTRY))["sql"].errors[0].codes == ("4060",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- a\n", "no mapping of sections"),
        ("sql: [1]\n", "sql: is no mapping"),
        ("sql: {errors: [], more: 1}\n", "no such key: more"),
        ("sql: {given: [a]}\n", "errors is missing"),
        (one(ENTRY.replace("why", "wy")), "entry 1: no such key: wy"),
        (one(ENTRY.replace("      why: it is so\n", "")), "entry 1: why is missing"),
        (one(ENTRY.replace("it is so", "''")), "why is a text"),
        (one(ENTRY.replace("it is so", "17")), "why is a text"),
        (one(ENTRY + "      why: twice\n"), "why is there twice"),
        (one(ENTRY + ENTRY), "sql, 4060: there is an entry before"),
        (one(ENTRY.replace("4060", "[A, a]")), "sql, a: there is an entry before"),
        (one(ENTRY + ENTRY + "      text: x\n"), "sql, 4060: there is an entry before"),
        (one(ENTRY.replace("open it", "open {door}")), "nobody fills in door"),
        (one(ENTRY + "      text: (\n"), "text: missing )"),
        (one(ENTRY + "      link: www.example.com\n"), "link begins with https://"),
        (one(ENTRY + "      transient: sometimes\n"), "transient is true or false"),
        (one(ENTRY + "      ridden_out: true\n"), "ridden_out a number of seconds"),
        (one(ENTRY, read="{door: '('}"), "sql: read door: missing )"),
        ("sql:\n  errors:" + ENTRY, "no entry for all others"),
        ("sql: {", "while parsing"),
    ],
)
def test_a_file_that_is_not_as_it_must_be_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(KnownErrorsError, match=re.escape(complaint)):
        parse(text)


def test_the_first_entry_whose_conditions_hold_is_meant() -> None:
    entries = """
    - {code: Forbidden, operation: PUT */vaults/*, what: a vault, why: b, remedy: c}
    - {code: Forbidden, text: "door '(?P<door>[^']+)'", what: "the door {door}", why: b, remedy: c}
    - {code: Forbidden, what: anything, why: b, remedy: c}
"""
    section = parse(one(entries))["sql"]

    def what(text: str, operation: str) -> str:
        return next(error.what for error in section.of("forbidden") if error.fits(text, operation))

    assert what("", "PUT https://m/vaults/kv") == "a vault"
    assert what("the door 'two'", "GET https://m/vaults/kv") == "the door {door}"
    assert what("", "") == "anything"


def test_nothing_known_of_a_code_is_said_with_the_code() -> None:
    assert known_errors.find("aadsts", 1) is None
    assert "AADSTS1:" in known_errors.meaning("aadsts", 1).words["why"]
