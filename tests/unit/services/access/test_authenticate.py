"""The form of tokens."""

import re

from scheduler.services.access.authenticate import is_well_formed, new_secret, secret_sha256


def test_a_new_secret_has_a_prefix_and_a_checksum_that_holds() -> None:
    secret = new_secret()
    assert re.fullmatch(r"mdl_[0-9A-Za-z]{38}", secret)
    assert is_well_formed(secret)


def test_no_two_secrets_are_alike() -> None:
    assert len({new_secret() for _ in range(1000)}) == 1000


def test_one_mistyped_character_breaks_the_checksum() -> None:
    secret = new_secret()
    for place in range(len(secret)):
        typo = "x" if secret[place] != "x" else "y"
        assert not is_well_formed(secret[:place] + typo + secret[place + 1 :])


def test_texts_of_other_forms_are_not_well_formed() -> None:
    for text in ("", "mdl_", "mdl_" + "ä" * 38, "Bearer x", new_secret() + "0", new_secret()[1:]):
        assert not is_well_formed(text)


def test_what_is_kept_of_a_secret_does_not_contain_it() -> None:
    secret = new_secret()
    assert secret not in secret_sha256(secret)
    assert secret_sha256(secret) == secret_sha256(secret)
