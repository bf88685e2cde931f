from __future__ import annotations

import pytest

from setup_kit.sandbox import passwords


@pytest.mark.parametrize("password", ["Abcdef1x", "abcdef1!", "ABCDEF1!", "Abcdefg!", "A1!" + "x" * 125])
def test_three_of_four_classes_and_eight_characters_will_do(password: str) -> None:
    assert passwords.is_complex(password, "boss")


@pytest.mark.parametrize("password", ["Abcde1!", "abcdefg1", "A1!" + "x" * 126, "xBOSSx12!", ""])
def test_short_plain_long_or_telling_passwords_are_refused(password: str) -> None:
    assert not passwords.is_complex(password, "boss")


def test_a_hash_knows_its_password_and_no_other() -> None:
    kept = passwords.hashed("Abcdef1x")
    assert "Abcdef1x" not in str(kept)
    assert passwords.matches("Abcdef1x", kept)
    assert not passwords.matches("Abcdef1y", kept)


def test_two_hashes_of_one_password_differ() -> None:
    assert passwords.hashed("Abcdef1x") != passwords.hashed("Abcdef1x")
