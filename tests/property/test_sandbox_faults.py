"""The rules of the sandbox's faults: what is written is what is read, and chance is repeatable."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from setup_kit.sandbox import faults
from setup_kit.sandbox.faults import KINDS, Fault

texts = st.text(max_size=20)
counts = st.integers(0, 50)
VALUES = {"status": 503, "seconds": 2.5, "number": 40613}


@st.composite
def rules(draw: st.DrawFn) -> Fault:
    kind = draw(st.sampled_from(list(KINDS)))
    parts, needed = KINDS[kind]
    return Fault(
        kind=kind,
        part=draw(st.sampled_from(["*", *parts])),
        method=draw(texts),
        path=draw(texts),
        caller=draw(texts),
        after=draw(counts),
        times=draw(counts),
        share=draw(st.floats(0.01, 1)),
        seed=draw(st.integers()),
        headers=draw(st.dictionaries(texts, texts, max_size=3)) if kind == "status" else {},
        **{name: VALUES[name] for name in needed},  # type: ignore[arg-type]
    )


def struck(rule: Fault, count: int) -> list[int]:
    found: list[int] = []
    for index in range(count):
        if rule.strikes(index, len(found)):
            found.append(index)
    return found


@given(rules(), rules())
def test_rules_come_back_as_they_were_added(one: Fault, two: Fault) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = [faults.add(Path(folder), each) for each in (one, two)]
        assert faults.listed(Path(folder)) == made


@given(rules())
def test_no_more_are_struck_than_said_and_none_before_it_is_time(rule: Fault) -> None:
    found = struck(rule, 200)
    assert all(index >= rule.after for index in found)
    assert not rule.times or len(found) <= rule.times
    if rule.share == 1:
        assert found == list(range(rule.after, 200))[: rule.times or None]


@given(rules())
def test_chance_falls_alike_for_the_same_seed(rule: Fault) -> None:
    assert struck(rule, 200) == struck(rule, 200)


@settings(max_examples=10)
@given(st.floats(0.1, 0.9), st.integers(0, 20))
def test_a_share_is_about_that_share(share: float, seed: int) -> None:
    found = struck(Fault("truncate", share=share, seed=seed), 2000)
    assert abs(len(found) / 2000 - share) < 0.08


@given(texts, texts, texts)
def test_a_rule_without_patterns_is_about_everything(method: str, path: str, caller: str) -> None:
    assert Fault("reset-after").matches("graph", method, path, caller)
