"""Chance that is a function: the same numbers give the same draw, in whatever order things are asked for."""

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""Of SplitMix64 (Steele, Lea, Flood 2014), whose output passes the usual tests of randomness."""


def drawn(*numbers: int) -> float:
    """Return a number from 0 to 1, 1 excluded, that looks as if drawn at random; integers name the draw."""
    value = 0
    for number in numbers:
        value = (value ^ number) + _STEP & _MASK
        value = (value ^ value >> 30) * _FIRST & _MASK
        value = (value ^ value >> 27) * _SECOND & _MASK
        value ^= value >> 31
    return (value >> 11) / (1 << 53)
