"""Use and waiting over time as an SVG, for a slide or a page."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from medley.answers import Json
from medley.screens.simulated.chart import span
from medley.screens.simulated.tables import headline

_WIDTH, _PANEL, _LEFT, _TOP, _GAP = 860, 170, 70, 50, 46
_COLOURS = ("#1f6feb", "#d1570a")
_STYLE = "font-family='sans-serif' font-size='12' fill='#333'"
_PANELS = (
    ("devices used", "devices_used"),
    ("devices asked for", "devices_asked_for"),
    ("jobs waiting", "jobs_waiting"),
)


def picture(reports: Sequence[Json]) -> str:
    """Return one picture of one simulation, or of two in two colours."""
    height = _TOP + len(_PANELS) * (_PANEL + _GAP)
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' width='{_WIDTH}' height='{height}'>",
        f"<rect width='{_WIDTH}' height='{height}' fill='white'/>",
    ]
    for place, report in enumerate(reports):
        colour = _COLOURS[place % len(_COLOURS)]
        label = escape(headline(report))
        lines.append(
            f"<text x='{_LEFT}' y='{18 + 16 * place}' {_STYLE}><tspan fill='{colour}'>&#9632;</tspan> {label}</text>"
        )
    for place, (name, key) in enumerate(_PANELS):
        lines += _panel(reports, name, key, _TOP + place * (_PANEL + _GAP) + 16)
    return "\n".join([*lines, "</svg>", ""])


def _panel(reports: Sequence[Json], name: str, key: str, top: int) -> Iterator[str]:
    limits = [report["over_time"]["devices"] for report in reports] if key == "devices_used" else []
    curves = [report["over_time"][key] for report in reports]
    most = max((value for curve in (*curves, *limits) for value in curve), default=0.0) or 1.0
    end_s = max((report["virtual_s"] for report in reports), default=1) or 1
    yield f"<text x='{_LEFT}' y='{top - 6}' {_STYLE}>{name}</text>"
    yield f"<path d='M{_LEFT} {top}V{top + _PANEL}H{_WIDTH - 20}' fill='none' stroke='#999'/>"
    yield f"<text x='{_LEFT - 6}' y='{top + 10}' text-anchor='end' {_STYLE}>{most:,.0f}</text>"
    yield f"<text x='{_LEFT - 6}' y='{top + _PANEL}' text-anchor='end' {_STYLE}>0</text>"
    yield f"<text x='{_WIDTH - 20}' y='{top + _PANEL + 14}' text-anchor='end' {_STYLE}>{span(end_s)}</text>"
    for place, report in enumerate(reports):
        colour, step_s = _COLOURS[place % len(_COLOURS)], report["over_time"]["step_s"]
        if limits:
            points = _points(limits[place], step_s, end_s, most, top)
            yield f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-dasharray='4 3' opacity='0.6'/>"
        points = _points(curves[place], step_s, end_s, most, top)
        yield f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='1.4'/>"


def _points(values: Sequence[float], step_s: float, end_s: float, most: float, top: int) -> str:
    across = _WIDTH - 20 - _LEFT
    return " ".join(
        f"{_LEFT + min(1.0, (place + 0.5) * step_s / end_s) * across:.1f},{top + _PANEL * (1 - value / most):.1f}"
        for place, value in enumerate(values)
    )
