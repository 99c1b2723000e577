"""One plan in lines of text: its stages with layers and memory bars, and when each computes."""

from collections.abc import Iterator, Sequence

from medley.answers import Json
from medley.screens.plans.amounts import (
    batch_text,
    busy_part,
    chips_text,
    gib,
    layers_text,
    percent,
    shown_note,
    span_text,
)
from medley.screens.safe_text import one_line
from medley.screens.tables import Table

_BAR = 20
_FORWARD, _BACKWARD, _IDLE = "░", "█", " "
_LEAST_CELLS = 24
_WIDEST_ROW = 120


def heading_lines(plan: Json) -> Iterator[str]:
    """Yield what a plan runs on, how its steps are made up, and how fast it is predicted to be."""
    prediction = plan["prediction"]
    yield f"{chips_text(plan)}: {batch_text(plan)}"
    yield (
        f"{span_text(prediction)}, {prediction['tokens_per_s']:,.0f} tokens/s, "
        f"{percent(prediction['ideal_share'])} of ideal, MFU {percent(prediction['flops_utilisation'])}"
    )


def stage_table(plan: Json) -> Table:
    """Return a row per stage: where it runs, its layers, its memory, how much of the time it computes."""
    rows = []
    for number, stage in enumerate(plan["stages"]):
        memory = stage["memory"]
        degree = f"{stage['tensor_parallel']} x {plan['data_parallel']}"
        bar = memory_bar(memory["total"], memory["limit"])
        rows.append(
            (
                str(number),
                one_line(stage["chip"]) + ("?" if stage["is_estimate"] else ""),
                degree,
                f"{stage['layers']} ({layers_text(stage)})" + (" recomputed" if stage["recomputes"] else ""),
                bar,
                f"{gib(memory['total'])} of {gib(memory['limit'])} GiB",
                percent(busy_part(plan, number)),
                _sends(plan, number),
            )
        )
    columns = ("STAGE", "CHIP", "TP x DP", "LAYERS", "MEMORY", "OF A DEVICE", "BUSY", "TO THE NEXT")
    return Table(columns, rows, numbers=("STAGE", "BUSY"), spare=("TO THE NEXT", "BUSY", "MEMORY"))


def memory_bar(used: float, limit: float) -> str:
    """Return a bar that is full where all that may be planned with is used; what is above that is marked."""
    cells = round(_BAR * used / limit) if limit > 0 else 0
    return "▓" * min(cells, _BAR) + "·" * (_BAR - cells) + "!" * (cells > _BAR)


def timeline_lines(timeline: Json, plan: Json, *, width: int) -> Iterator[str]:
    """Yield a row per stage in which time runs to the right: forward, backward, idle."""
    margin = len(str(len(timeline["stages"]) - 1)) + 2
    cells = max(_LEAST_CELLS, min(width, _WIDEST_ROW) - margin - 1)
    end_s = timeline["computed_s"] or 1.0
    yield f"{_FORWARD} forward  {_BACKWARD} backward  ({shown_note(timeline, plan)})"
    for number, stage in enumerate(timeline["stages"]):
        row = _row(stage["forward_s"], stage["backward_s"], end_s / cells, cells)
        yield f"{number:>{margin - 2}} |{row}|"
    yield f"{'':{margin}}0{f'{end_s:.3g} s':>{cells - 1}}"


def _row(forward: Sequence[Sequence[float]], backward: Sequence[Sequence[float]], cell_s: float, cells: int) -> str:
    """Return what fills most of each cell."""
    spent = [[0.0, 0.0] for _ in range(cells)]
    for kind, spans in enumerate((forward, backward)):
        for start_s, end_s in spans:
            first, last = int(start_s / cell_s), min(cells - 1, int(end_s / cell_s))
            for place in range(first, last + 1):
                within_s = min(end_s, (place + 1) * cell_s) - max(start_s, place * cell_s)
                spent[place][kind] += max(0.0, within_s)
    return "".join(_filling(one, cell_s) for one in spent)


def _filling(spent: Sequence[float], cell_s: float) -> str:
    if sum(spent) < cell_s / 2:
        return _IDLE
    return _FORWARD if spent[0] > spent[1] else _BACKWARD


def _sends(plan: Json, number: int) -> str:
    if number >= len(plan["boundaries"]):
        return ""
    boundary = plan["boundaries"][number]
    ahead = f", {boundary['extra_warm_up']} ahead" if boundary["extra_warm_up"] else ""
    way = "through hosts" if boundary["transport"] == "host" else "direct"
    return f"{boundary['transfer_s'] * 1000:.3g} ms {way}{ahead}"
