"""Whatever the service writes into its failure log is read as it was meant."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from setup_kit.export_service.failure_reasons import alike, counted
from setup_kit.export_service.failures import Failure, read_failures
from setup_kit.service.failure_log import Failure as Written

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
REASONS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=80) | st.lists(
    st.sampled_from(
        ["Entity: lead", "Entity: ", ", RecordId: N/A", 'it\'s "quoted", with commas', "", "FailureReason: "]
    ),
    max_size=5,
).map("\n".join)
WRITTEN = st.builds(
    Written,
    entity=NAMES,
    record=st.none() | st.uuids().map(str),
    notified=st.none()
    | st.datetimes(datetime(2016, 1, 1), datetime(2099, 1, 1)).map(
        lambda moment: moment.replace(tzinfo=UTC, microsecond=0)
    ),
    change=st.sampled_from(["New", "Update", "Delete", "Trigger Initial Export"]),
    reason=REASONS,
)


@given(st.lists(WRITTEN, max_size=6), st.sampled_from(["", "\ufeff", "some other line\n"]), st.booleans())
def test_entries_are_read_as_the_service_writes_them(written: list[Written], before: str, windows: bool) -> None:
    text = before + "".join(entry.entry() for entry in written)
    read = list(read_failures(text.removeprefix("\ufeff").replace("\n", "\r\n" if windows else "\n")))
    assert [(each.entity, each.record, each.notified, each.change) for each in read] == [
        (each.entity, each.record, each.notified, each.change) for each in written
    ]
    # The service indents a line of a reason that would look like an entry.
    reasons = [each.reason.replace("\nEntity: ", "\n Entity: ").strip() for each in written]
    assert [each.reason.replace("\r\n", "\n") for each in read] == reasons


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["Entity: ", ", RecordId: ", ", NotificationTime: ", "\n", "a"]), max_size=20).map(
        "".join
    )
)
def test_any_text_is_read(text: str) -> None:
    for failure in read_failures(text):
        assert failure.entity in text


@given(st.lists(st.builds(Failure, NAMES, st.none(), st.none(), NAMES, REASONS), max_size=10))
def test_no_failure_is_lost_in_the_counting(failures: list[Failure]) -> None:
    counts = counted(failures)
    assert sum(count.entries for count in counts) == len(failures)
    assert {count.entity for count in counts} == {failure.entity for failure in failures}
    assert all(alike(count.text) == alike(alike(count.text)) for count in counts)
