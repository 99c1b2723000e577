import pytest

from medley.live.keys import keys_in


@pytest.mark.parametrize(
    ("pressed", "want"),
    [
        (b"q", ["q"]),
        (b"nnq", ["n", "n", "q"]),
        (b"\x1b[6~n\x1b[D", ["\x1b[6~", "n", "\x1b[D"]),
        (b"\x1b", ["\x1b"]),
        (b"\xff\n", ["\ufffd", "\n"]),
    ],
)
def test_what_a_terminal_sends_at_once_is_told_key_by_key(pressed: bytes, want: list[str]) -> None:
    assert keys_in(pressed) == want
