"""All that a plan's question is answered with: the best plan, what is beside it, and what would be faster."""

import sys
from collections.abc import Sequence

from medley.answers import Json
from medley.screens.output import entry_text, is_terminal, print_table, say, window_width
from medley.screens.plans.amounts import ESTIMATE_NOTE, batch_text, chips_text, percent, span_text, step_text
from medley.screens.plans.pipeline import heading_lines, stage_table, timeline_lines
from medley.screens.safe_text import one_line
from medley.screens.tables import Table

_PLAIN_WIDTH = 100
_MOST_TEXTS = 5


def print_plans(found: Json, number: int, *, has_earlier: bool) -> None:
    """Print one plan of an answer whole, and the rest of the answer beside it."""
    width = window_width() if is_terminal(sys.stdout) else _PLAIN_WIDTH
    chosen = found["plans"][number - 1]
    plan = chosen["plan"]
    for line in heading_lines(plan):
        _say(line)
    say()
    print_table(stage_table(plan))
    if any(stage["is_estimate"] for stage in plan["stages"]):
        say(ESTIMATE_NOTE)
    if chosen["timeline"] is not None:
        say()
        for line in timeline_lines(chosen["timeline"], plan, width=width):
            say(line)
    if plan["why"]:
        say()
        _say(plan["why"])
    say("\nBeside it:")
    print_table(_beside(found, number))
    if has_earlier:
        _print_earlier(found)
    if found["trial"] is not None:
        say()
        _say(found["trial"]["text"])
    _print_texts("What would make it faster", found["faster"])
    _print_texts("Now or later", found["finishes"])
    _print_texts("Free chips that took no part", found["left_out"])


def _beside(found: Json, number: int) -> Table:
    """Return the other plans and the simpler ways, with how long a step of each is."""
    best_s = found["plans"][number - 1]["plan"]["prediction"]["step_s"]
    rows = [
        (f"plan {place}", chips_text(one["plan"]), batch_text(one["plan"]), *_times(one["plan"]["prediction"], best_s))
        for place, one in enumerate(found["plans"], start=1)
        if place != number
    ]
    rows += [_simpler(one, best_s) for one in found["comparisons"]]
    return Table(("WAY", "DEVICES", "HOW", "STEP", "TIMES AS LONG"), rows, wrapped=("DEVICES", "HOW"))


_WAYS = {"proportional": "in proportion", "even": "even split"}


def _simpler(one: Json, best_s: float) -> tuple[str, str, str, str, str]:
    way = f"{one_line(one['vendor'])} alone" if one["vendor"] else _WAYS.get(one["way"], str(one["way"]))
    if one["plan"] is None:
        return (way, "", "does not fit into memory", "", "")
    devices = ", ".join(f"{count} {one_line(chip)}" for chip, count in one["plan"]["devices"].items())
    return (way, devices, f"{percent(one['plan']['ideal_share'])} of ideal", *_times(one["plan"], best_s))


def _times(prediction: Json, best_s: float) -> tuple[str, str]:
    return step_text(prediction["step_s"]), f"{prediction['step_s'] / best_s:.2f}"


def _print_earlier(found: Json) -> None:
    earlier = found["earlier"]
    said = "has no place any more on what is free" if earlier is None else f"would take {span_text(earlier)} now"
    say(f"\nThe earlier plan {said}.")


def _print_texts(title: str, entries: Sequence[Json]) -> None:
    if entries:
        say(f"\n{title}:")
        for one in entries[:_MOST_TEXTS]:
            _say(one["text"], "  ")
        if len(entries) > _MOST_TEXTS:
            say(f"  and {len(entries) - _MOST_TEXTS} more, see -o json")


def _say(text: str, start: str = "") -> None:
    say(entry_text(start, one_line(text), sys.stdout))
