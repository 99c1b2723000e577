"""Tokens of workers."""

from scheduler.services.access.attempt_tokens import AttemptClaim, AttemptTokens

TOKENS = AttemptTokens(b"secret")


def test_a_token_says_whose_it_is() -> None:
    assert TOKENS.verify(TOKENS.mint("job-g0-a1", 2)) == AttemptClaim("job-g0-a1", 2)


def test_a_repeated_start_hands_out_the_same_token() -> None:
    assert TOKENS.mint("job-g0-a1", 1) == AttemptTokens(b"secret").mint("job-g0-a1", 1)


def test_a_token_of_another_server_is_refused() -> None:
    assert TOKENS.verify(AttemptTokens(b"other").mint("job-g0-a1", 1)) is None


def test_a_token_cannot_be_turned_to_another_attempt_or_generation() -> None:
    token = TOKENS.mint("job-g0-a1", 1)
    assert TOKENS.verify(token.replace("job-g0-a1", "job-g0-a2")) is None
    assert TOKENS.verify(token.replace("_1_", "_2_")) is None


def test_other_texts_are_refused() -> None:
    for text in ("", "mda_", "mda_x", "mda_x_1", "mda_x_1_", "mda_x_y_z", "mda_x_" + "9" * 5000 + "_z", "mda_é_1_é"):
        assert TOKENS.verify(text) is None
