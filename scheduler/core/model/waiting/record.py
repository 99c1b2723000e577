"""How right estimates of starts were lately."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """How right the estimates of one basis were lately."""

    scored: int
    half_within: float
    """Half of those waited no more than so many times as long as told, nor as many times shorter; at least 1."""
    in_range: float
    """The part of them, 0 to 1, that started within the range that was told."""
    sooner: float
    """One in ten waited for a shorter part than this of the shortest wait that was told; at most 1."""
    later: float
    """One in ten waited for more times than this as long as the longest wait that was told; at least 1."""
