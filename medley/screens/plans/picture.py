"""One plan as an SVG: layers by stage, memory of a device, and the predicted timeline."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from medley.answers import Json
from medley.screens.plans.amounts import (
    ESTIMATE_NOTE,
    MEMORY_PARTS,
    batch_text,
    chips_text,
    devices_by_chip,
    gib,
    layers_text,
    percent,
    shown_note,
    span_text,
)

_SVG = "http://www.w3.org/2000/svg"
_WIDTH, _LEFT, _RIGHT = 980, 190, 20
_ROW, _BAR = 26, 18
_ACROSS = _WIDTH - _LEFT - _RIGHT
_MEMORY_ACROSS = _ACROSS - 130
_TEXT = "font-family='sans-serif' font-size='12' fill='#333'"
_SMALL = "font-family='sans-serif' font-size='10' fill='#555'"
_HEADING = "font-family='sans-serif' font-size='13' font-weight='bold' fill='#333'"
_CHIP_COLOURS = ("#1f6feb", "#d1570a", "#1a7f37", "#8250df", "#bf3989", "#9a6700")
_MEMORY_COLOURS = ("#1f6feb", "#54aeff", "#8250df", "#d1570a", "#bf3989", "#8c959f")
_HAIR = 0.8
"""Pixels between bars."""
_LEAST_LABEL = 14
"""Pixels that a number needs."""


def picture(found: Json, title: str) -> str:
    """Return one plan of an answer as SVG text; `title` says which training it is for."""
    plan, timeline = found["plan"], found["timeline"]
    stages = len(plan["stages"])
    colours = {chip: _CHIP_COLOURS[place % len(_CHIP_COLOURS)] for place, chip in enumerate(devices_by_chip(plan))}
    memory_top = 150
    time_top = memory_top + stages * _ROW + 70
    height = time_top + (stages * _ROW + 40 if timeline is not None else -40)
    summary = f"{title}: {span_text(plan['prediction'])} on {chips_text(plan)}"
    lines = [
        f"<svg xmlns='{_SVG}' viewBox='0 0 {_WIDTH} {height}' width='{_WIDTH}' height='{height}' role='img'>",
        f"<title>{escape(summary)}</title>",
        f"<rect width='{_WIDTH}' height='{height}' fill='white'/>",
        *_heading(plan, title),
        *_layers(plan, colours),
        *_memory(plan, memory_top),
    ]
    if timeline is not None:
        lines += _timeline(plan, timeline, colours, time_top)
    return "\n".join([*lines, "</svg>", ""])


def _heading(plan: Json, title: str) -> Iterator[str]:
    prediction = plan["prediction"]
    yield _text(20, 24, f"{title}: {span_text(prediction)}", _HEADING)
    yield _text(
        20,
        42,
        f"{batch_text(plan)}; {prediction['tokens_per_s']:,.0f} tokens/s, "
        f"{percent(prediction['ideal_share'])} of ideal, MFU {percent(prediction['flops_utilisation'])}",
        _TEXT,
    )


def _layers(plan: Json, colours: dict[str, str]) -> Iterator[str]:
    """Yield the model as one bar, cut where stages begin."""
    stages = plan["stages"]
    whole = sum(stage["layers"] for stage in stages)
    yield _text(20, 83, f"{whole} layers", _TEXT)
    left = float(_LEFT)
    for number, stage in enumerate(stages):
        across = _ACROSS * stage["layers"] / whole
        said = f"stage {number}: layers {layers_text(stage)} on {stage['chip']}"
        said += ", recomputed" if stage["recomputes"] else ""
        yield _bar(left, 70, across, colours[stage["chip"]], said)
        if across >= _LEAST_LABEL:
            style = "font-family='sans-serif' font-size='12' fill='white' text-anchor='middle'"
            yield _text(left + across / 2, 83, str(stage["layers"]), style)
        left += across
    yield from _legend(((colour, chip) for chip, colour in colours.items()), 110)
    if any(stage["is_estimate"] for stage in stages):
        yield _text(_WIDTH - _RIGHT, 62, ESTIMATE_NOTE, f"{_SMALL} text-anchor='end'")


def _memory(plan: Json, top: int) -> Iterator[str]:
    """Yield a bar per stage of what it takes of each device, up to a line where no more may be planned with."""
    stages = plan["stages"]
    most = max(max(stage["memory"]["total"], stage["memory"]["limit"]) for stage in stages) or 1
    yield _text(20, top - 8, "Memory of a device", _HEADING)
    for number, stage in enumerate(stages):
        memory, y = stage["memory"], top + number * _ROW
        yield _text(20, y + 14, _stage_label(number, stage), _TEXT)
        left = float(_LEFT)
        for part, colour in zip(MEMORY_PARTS, _MEMORY_COLOURS, strict=True):
            across = _MEMORY_ACROSS * memory[part] / most
            yield _bar(left, y, across, colour, f"{part}: {gib(memory[part])} GiB")
            left += across
        limit = _LEFT + _MEMORY_ACROSS * memory["limit"] / most
        yield f"<path d='M{limit:.1f} {y - 2}v{_BAR + 4}' stroke='#cf222e' stroke-width='2'/>"
        said = f"{gib(memory['total'])} of {gib(memory['limit'])} GiB"
        yield _text(_WIDTH - _RIGHT, y + 14, said, f"{_TEXT} text-anchor='end'")
    yield from _legend(zip(_MEMORY_COLOURS, MEMORY_PARTS, strict=True), top + len(stages) * _ROW + 8)


def _timeline(plan: Json, timeline: Json, colours: dict[str, str], top: int) -> Iterator[str]:
    """Yield a row per stage in which time runs to the right, forwards pale and backwards full."""
    end_s = timeline["computed_s"] or 1.0
    yield _text(20, top - 8, f"Timeline ({shown_note(timeline, plan)})", _HEADING)
    for number, (stage, spans) in enumerate(zip(plan["stages"], timeline["stages"], strict=True)):
        y = top + number * _ROW
        yield _text(20, y + 14, _stage_label(number, stage), _TEXT)
        yield f"<rect x='{_LEFT}' y='{y}' width='{_ACROSS}' height='{_BAR}' fill='#f6f8fa'/>"
        colour = colours[stage["chip"]]
        yield from _spans(spans["forward_s"], y, end_s, f"fill='{colour}' fill-opacity='0.4'")
        yield from _spans(spans["backward_s"], y, end_s, f"fill='{colour}'")
    bottom = top + len(plan["stages"]) * _ROW + 10
    yield _text(_LEFT, bottom, "0", _SMALL)
    yield _text(_WIDTH - _RIGHT, bottom, f"{end_s:.3g} s", f"{_SMALL} text-anchor='end'")
    yield _text(_LEFT + _ACROSS / 2, bottom, "pale: forward, full: backward", f"{_SMALL} text-anchor='middle'")


def _spans(spans: Sequence[Sequence[float]], y: int, end_s: float, style: str) -> Iterator[str]:
    """Yield one path for all micro-batches of a row; a hair's breadth is left between them."""
    parts = []
    for start_s, stop_s in spans:
        left, across = _LEFT + _ACROSS * start_s / end_s, _ACROSS * (stop_s - start_s) / end_s
        parts.append(f"M{left:.1f} {y}h{max(0.3, across - min(_HAIR, across / 4)):.1f}v{_BAR}H{left:.1f}z")
    yield f"<path d='{''.join(parts)}' {style}/>"


def _stage_label(number: int, stage: Json) -> str:
    return f"{number}  {stage['chip']}{'?' * stage['is_estimate']} x{stage['tensor_parallel']}"


def _legend(entries: "Iterator[tuple[str, str]]", y: int) -> Iterator[str]:
    left = _LEFT
    for colour, name in entries:
        yield f"<rect x='{left}' y='{y}' width='10' height='10' fill='{colour}'/>"
        yield _text(left + 15, y + 9, name, _SMALL)
        left += 30 + 6 * len(name)


def _bar(x: float, y: float, across: float, colour: str, said: str) -> str:
    """Return a bar with a hair's breadth of white beside it, and what is said of it where one points at it."""
    return (
        f"<rect x='{x:.1f}' y='{y:.1f}' width='{max(0.0, across - _HAIR):.1f}' height='{_BAR}' fill='{colour}'>"
        f"<title>{escape(said)}</title></rect>"
    )


def _text(x: float, y: float, text: str, style: str) -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' {style}>{escape(text)}</text>"
