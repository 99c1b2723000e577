"""Use and waiting over time, in lines of blocks."""

from collections.abc import Iterator, Sequence

from medley.answers import Json

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_HEIGHT = 4
_DAY_S = 86_400
_HOUR_S = 3_600


def chart(report: Json, *, width: int) -> Iterator[str]:
    """Yield the lines: how many devices were used and asked for, and how many jobs waited."""
    over_time = report["over_time"]
    curves = (
        ("devices used", over_time["devices_used"], max(over_time["devices"], default=0.0)),
        ("devices asked for", over_time["devices_asked_for"], None),
        ("jobs waiting", over_time["jobs_waiting"], None),
    )
    tops = [max(values, default=0.0) if top is None else top for _, values, top in curves]
    margin = max((len(f"{top:,.0f}") for top in tops), default=1) + 1
    cells = max(8, width - margin - 1)
    for (name, values, _), top in zip(curves, tops, strict=True):
        yield f"{'':{margin}} {name}"
        for place, line in enumerate(bars(squeezed(values, cells), top)):
            label = f"{top:,.0f}" if place == 0 else "0" if place == _HEIGHT - 1 else ""
            yield f"{label:>{margin}}|{line}".rstrip()
    count = min(cells, len(over_time["jobs_waiting"]))
    yield f"{'':{margin}} 0{span(report['virtual_s']):>{max(1, count - 1)}}"


def bars(values: Sequence[float], top: float) -> list[str]:
    """Return lines, the highest first, in which each value is as high as its part of `top`."""
    eighths = [round(min(1.0, value / top) * _HEIGHT * 8) if top else 0 for value in values]
    return [
        "".join(_EIGHTHS[min(8, max(0, height - line * 8))] for height in eighths) for line in reversed(range(_HEIGHT))
    ]


def squeezed(values: Sequence[float], count: int) -> list[float]:
    """Return at most so many means of neighbours."""
    count = min(count, len(values))
    parts = [values[place * len(values) // count : (place + 1) * len(values) // count] for place in range(count)]
    return [sum(part) / len(part) for part in parts]


def span(seconds: float) -> str:
    """Return how long it was, in days or hours."""
    return f"{seconds / _DAY_S:.1f} d" if seconds >= _DAY_S else f"{seconds / _HOUR_S:.1f} h"
