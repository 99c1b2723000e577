"""A small picture of figures in one line of text."""

from collections.abc import Sequence

_LEVELS = "▁▂▃▄▅▆▇█"


def curve(values: Sequence[float], *, width: int) -> str:
    """Return at most `width` blocks, left to right, each as high as the mean of the values it stands for.

    The lowest block is the least of them, the highest the most; equal values give a flat line. Nothing for no values.
    """
    count = min(width, len(values))
    means = [_mean(values[i * len(values) // count : (i + 1) * len(values) // count]) for i in range(count)]
    if not means:
        return ""
    low, span = min(means), max(means) - min(means)
    steps = len(_LEVELS) - 1
    return "".join(_LEVELS[round((mean - low) / span * steps) if span else 0] for mean in means)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
