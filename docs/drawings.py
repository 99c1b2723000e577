"""Draws the pictures of docs/mixed-chip.md: `python -m docs.drawings`.

The one with measured runs needs the data of the benchmarks, see docs/benchmarks.md; without them it stays as it is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import log10
from pathlib import Path

from bench.mixing.measured.sailor import read_runs
from bench.mixing.measured.stages import slowest_replica_s
from medley.answers import Json
from medley.screens.plans.picture import picture
from scheduler.adapters.files.catalogue_file import shipped_catalogue
from scheduler.core.mixing.asked.pools import ChipPool, Link
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.training import Precision, Training
from scheduler.core.mixing.catalogue import MODELS
from scheduler.core.mixing.chips import FreeChips, Stated, bytes_per_s, pool_of
from scheduler.core.mixing.filing.plan_file import PlanFile
from scheduler.core.mixing.plan import Plan
from scheduler.core.mixing.search.finding import confirmed, leads
from scheduler.services.planning.telling import timeline_of

PICTURES = Path(__file__).parent / "pictures"
BETA = 0.44
"""The blocking share of the runtime of the measured runs, see docs/benchmarks.md, `predict_sailor`."""
TRAINING = Training(MODELS["llama3-8b"], 128, 8192)
BETWEEN_GBIT_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)
_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 640, 400, 70, 40, 20, 50
_TEXT = "font-family='sans-serif' font-size='12' fill='#333'"
_COLOURS = ("#1f6feb", "#d1570a", "#1a7f37")


def pool(chip: str, nodes: int) -> ChipPool:
    """Return free nodes of eight devices of a chip of the shipped catalogue."""
    known = {one.name: one for one in shipped_catalogue()}[chip]
    found = pool_of(FreeChips(chip, known, nodes, 8, known.memory_mib or 0), Precision.BF16, Stated())
    if not isinstance(found, ChipPool):
        raise TypeError(f"{chip} can be planned with")
    return found


def best(problem: Problem) -> Plan:
    """Return the best plan."""
    return confirmed(problem, leads(problem), 1)[0]


def a_mix(gbit_s: float) -> Problem:
    """Return two vendors with so much between them."""
    pools = (pool("h100-sxm", 2), pool("ascend-910b2", 4))
    link = Link(bytes_per_s(gbit_s), goes_through_hosts=True)
    return Problem(TRAINING, pools, {frozenset(one.name for one in pools): link})


def plan_picture() -> str:
    """Return the picture of a plan over two vendors."""
    problem = a_mix(100)
    plan = best(problem)
    timeline = timeline_of(problem, plan)
    found: Json = {
        "plan": PlanFile(problem.training, problem.runtime, plan).document,
        "timeline": {
            "micro_batches": timeline.micro_batches,
            "computed_s": timeline.computed_s,
            "stages": [
                {"forward_s": forward, "backward_s": backward}
                for forward, backward in zip(timeline.forward_s, timeline.backward_s, strict=True)
            ],
        },
    }
    return picture(found, "llama3-8b, batch 128, sequence 8,192")


def mixing_picture() -> str:
    """Return the picture of when mixing pays: a step by what there is between two vendors."""
    mixed = [(float(gbit_s), best(a_mix(gbit_s)).prediction.step_s) for gbit_s in BETWEEN_GBIT_S]
    alone = {one.vendor: best(replace(a_mix(1), pools=(one,), links={})).prediction.step_s for one in a_mix(1).pools}
    curves = [("both", mixed), *((f"{name} alone", [(x, took_s) for x, _ in mixed]) for name, took_s in alone.items())]
    most = 1.1 * max(took_s for _, points in curves for _, took_s in points)
    least, largest = BETWEEN_GBIT_S[0], BETWEEN_GBIT_S[-1]
    axes = _Axes(lambda x: log10(x / least) / log10(largest / least), lambda y: y / most)
    marks = [f"{gbit_s:g}" for gbit_s in BETWEEN_GBIT_S]
    lines = [
        *axes.frame(
            "Gbit/s between a node of one vendor and one of the other, one way",
            "seconds a step",
            zip(BETWEEN_GBIT_S, marks, strict=True),
        )
    ]
    lines += [axes.height(mark, f"{mark:g}") for mark in range(0, int(most) + 1, max(1, int(most) // 5))]
    for (name, points), colour in zip(curves, _COLOURS, strict=True):
        lines += axes.curve(points, colour, name)
    return _svg("A step of llama3-8b on 16 h100-sxm and 32 ascend-910b2, by the link between them", lines)


def predicted_picture() -> str:
    """Return the picture of measured steps beside predicted ones. Ends the program where the data are missing."""
    runs = [run for run in read_runs("docs.drawings") if run.cluster == "mixed_rtx"]
    pairs = [(run.measured_s, slowest_replica_s(run.replicas, blocking_share=BETA)) for run in runs]
    most = 1.1 * max(max(pair) for pair in pairs)
    axes = _Axes(lambda x: x / most, lambda y: y / most)
    marks = range(0, int(most) + 1, 25)
    lines = [*axes.frame("measured seconds a step", "predicted", ((mark, f"{mark}") for mark in marks))]
    lines += [axes.height(mark, f"{mark}") for mark in marks]
    lines += axes.curve([(0.0, 0.0), (most, most)], "#999", "as measured")
    lines += [axes.point(x, y) for x, y in pairs]
    return _svg("Nine measured runs over unlike chips and slow links (SAILOR), predicted", lines)


class _Axes:
    """Where values stand in a picture; both scales go from 0 to 1."""

    def __init__(self, across: Callable[[float], float], up: Callable[[float], float]) -> None:
        self._across = across
        self._up = up

    def x(self, value: float) -> float:
        return _LEFT + self._across(value) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - self._up(value) * (_HEIGHT - _TOP - _BOTTOM)

    def frame(self, across: str, up: str, marks: "Iterator[tuple[float, str]]") -> Iterator[str]:
        low, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
        yield f"<path d='M{_LEFT} {_TOP}V{low}H{right}' fill='none' stroke='#999'/>"
        yield f"<text x='{right}' y='{low + 36}' text-anchor='end' {_TEXT}>{across}</text>"
        yield f"<text x='{_LEFT}' y='{_TOP - 6}' text-anchor='middle' {_TEXT}>{up}</text>"
        for value, said in marks:
            yield f"<text x='{self.x(value):.1f}' y='{low + 16}' text-anchor='middle' {_TEXT}>{said}</text>"

    def height(self, value: float, said: str) -> str:
        return f"<text x='{_LEFT - 8}' y='{self.y(value) + 4:.1f}' text-anchor='end' {_TEXT}>{said}</text>"

    def curve(self, points: Sequence[tuple[float, float]], colour: str, name: str) -> Iterator[str]:
        line = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        yield f"<polyline points='{line}' fill='none' stroke='{colour}' stroke-width='2'/>"
        x, y = points[-1]
        place = f"x='{self.x(x):.1f}' y='{self.y(y) - 6:.1f}' text-anchor='end'"
        yield f"<text {place} font-family='sans-serif' font-size='12' fill='{colour}'>{name}</text>"

    def point(self, x: float, y: float) -> str:
        return f"<circle cx='{self.x(x):.1f}' cy='{self.y(y):.1f}' r='4' fill='{_COLOURS[0]}' fill-opacity='0.7'/>"


def _svg(title: str, lines: Sequence[str]) -> str:
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {_HEIGHT}' width='{_WIDTH}' role='img'>"
    background = f"<rect width='{_WIDTH}' height='{_HEIGHT}' fill='white'/>"
    return "\n".join([head, f"<title>{title}</title>", background, *lines, "</svg>", ""])


DRAWINGS: dict[str, Callable[[], str]] = {
    "plan.svg": plan_picture,
    "mixing.svg": mixing_picture,
    "predicted.svg": predicted_picture,
}


def main() -> None:
    """Draw them all."""
    for name, draw in DRAWINGS.items():
        (PICTURES / name).write_text(draw(), "utf-8")


if __name__ == "__main__":
    main()
