"""Which names of entities a pattern means."""

from __future__ import annotations

import pytest

from setup_kit.resources.exportable import matching

NAMES = ("account", "Account", "opportunity", "Case", "new_[odd]")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", NAMES),
        ("CASE", ("Case",)),
        ("acc", ("account", "Account")),
        ("opp*", ("opportunity",)),
        ("*t", ("account", "Account")),
        ("?ase", ("Case",)),
        ("[odd]", ("new_[odd]",)),
        ("nosuch", ()),
    ],
)
def test_a_pattern_is_a_part_of_a_name_or_has_wildcards(pattern: str, found: tuple[str, ...]) -> None:
    assert tuple(filter(matching(pattern), NAMES)) == found
