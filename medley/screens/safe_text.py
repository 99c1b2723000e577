"""Texts from elsewhere, made so that they cannot play tricks on a terminal."""

import re
from collections.abc import Callable

_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Makes a reader see the characters of a line in another order than they are in."""
_INVISIBLE = "\u00ad\u180e\u200b-\u200d\u2028\u2029\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_SURROGATE = "\ud800-\udfff"
_UNPRINTABLE = re.compile(f"[{_CONTROL}{_DIRECTION}{_INVISIBLE}{_SURROGATE}]")
_UNSAFE = re.compile(rf"(\x1b\[[0-9;:]*m)|[{_CONTROL}{_DIRECTION}{_SURROGATE}]")
_COLOURS_OFF = "\x1b[0m"
_RANK_COLOURS = (36, 33, 32, 35, 34, 31, 96, 93, 92, 95, 94, 91)
_FIRST_PICTURE = 0x2400
"""Unicode has a picture of each of the 32 control characters of ASCII, such as the one of ESC."""
_PICTURES = 32


def printable(text: object) -> str:
    """Return a text without characters that are not seen, or that make a terminal lie; tabs and lines stay."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(text))


def one_line(text: object) -> str:
    r"""Return a text as `printable` does, but in one line: `\n` and `\t` are written out."""
    return printable(str(text).replace("\n", r"\n").replace("\t", r"\t"))


def safe_output(line: str) -> str:
    """Return a line that a program printed for a terminal: its colours stay, anything else it could do to it does not.

    What is taken out leaves a picture of itself; colours end with the line.
    """
    safe = _UNSAFE.sub(lambda found: found[1] or _picture(found[0]), line.removesuffix("\r"))
    return safe + _COLOURS_OFF if "\x1b" in safe else safe


def rank_prefix(ranks: int, *, is_coloured: bool) -> Callable[[int], str]:
    """Return what to put before each line of a rank, one of so many; each has a colour, which neighbours do not share.

    It is not touched by colours that a line before it left on.
    """
    if ranks == 1:
        return lambda _rank: ""
    if not is_coloured:
        return "{} | ".format
    width = len(str(ranks - 1))
    return lambda rank: f"\x1b[0;{_RANK_COLOURS[rank % len(_RANK_COLOURS)]}m{rank:>{width}} |{_COLOURS_OFF} "


def _picture(character: str) -> str:
    code = ord(character)
    return chr(_FIRST_PICTURE + code) if code < _PICTURES else "\N{REPLACEMENT CHARACTER}"
