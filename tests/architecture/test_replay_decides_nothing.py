"""A replay says something about the core only while every decision is the core's: `bench/replay` has none of its own.

What fits, in which order nodes are tried and what is left on them can be said only by code that sees nodes or the
ledger, and that subtracts, compares or sorts. So whoever imports the core does none of these, and imports only what is
asked for a decision; and nobody reads what a node has or has left.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPLAY = Path(__file__).parents[2] / "bench" / "replay"

MAY_BE_IMPORTED = {
    "scheduler.core.deciding.options",
    "scheduler.core.deciding.state",
    "scheduler.core.ledger.changes",
    "scheduler.core.model.job",
    "scheduler.core.model.node",
    "scheduler.core.model.resources",
    "scheduler.core.placement.placement",
    "scheduler.core.placement.request",
    "scheduler.core.placement.scoring.configuration",
    "scheduler.core.placement.scoring.job_mix",
    "scheduler.core.placement.scoring.weights",
}
"""What makes nodes, jobs and a state, asks for a place, takes it, and says how places are scored."""
NEVER_READ = {
    "cpu_milli",
    "memory_mib",
    "share_milli",
    "share_memory_mib",
    "free",
    "shared",
    "leftover",
    "left",
    "empty",
    "kind",
    "kinds",
    "inventory",
    "entries",
    "held_mask",
    "names",
    "fit",
    "fits",
    "room",
    "rooms",
    "pools",
    "members",
    "domain",
    "masks",
    "before",
    "after",
    "ranking",
    "scores",
    "node",
    "holders",
}
"""What a node has, what is left of it, and where that is kept."""
LESSENING = ast.Sub | ast.Div | ast.FloorDiv | ast.Mod
ORDERS = {
    "sorted",
    "min",
    "max",
    "sort",
    "heappush",
    "heapify",
    "nsmallest",
    "nlargest",
    "bisect",
    "insort",
    "reversed",
}
BY_NAME = "_by_name"
"""The protocol itself sorts what it reads, by this key and no other."""


def faults(source: str) -> Iterator[str]:
    """Yield what looks like a decision in a module's source."""
    tree = ast.parse(source)
    imported = set(_modules(tree))
    for module in sorted(imported - MAY_BE_IMPORTED):
        if module.partition(".")[0] in {"scheduler", "numpy", "numba", "tests"}:
            yield f"imports {module}"
    sees_the_core = any(module.startswith("scheduler.") for module in imported)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in NEVER_READ:
            yield f"line {node.lineno} reads {node.attr}"
        if sees_the_core:
            yield from _own_decisions(node)


def _own_decisions(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, LESSENING) and not _is_time(node):
        yield f"line {node.lineno} subtracts or divides"
    if isinstance(node, ast.Compare) and any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops):
        yield f"line {node.lineno} compares amounts"
    if isinstance(node, ast.Call) and _called(node) in ORDERS and not _is_by_name(node):
        yield f"line {node.lineno} puts into an order"


def _is_time(node: ast.BinOp | ast.AugAssign) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.left, ast.Call) and _called(node.left) == "process_time"


def _is_by_name(node: ast.Call) -> bool:
    """Say whether something is sorted by name, or a plain set of names is."""
    if any(isinstance(word.value, ast.Name) and word.value.id == BY_NAME for word in node.keywords):
        return True
    return _called(node) == "sorted" and not node.keywords and isinstance(node.args[0], ast.SetComp | ast.BoolOp)


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_the_replay_decides_nothing_itself() -> None:
    modules = sorted(REPLAY.glob("*.py"))
    assert len(modules) > 1
    found = [f"{path.name}: {fault}" for path in modules for fault in faults(path.read_text())]
    assert not found, "\n".join(found)


CORE = "from scheduler.core.ledger.changes import Seat\n"


@pytest.mark.parametrize(
    "source",
    [
        CORE + "left = free - asked",
        CORE + "cpu[node] -= asked",
        CORE + "copies = free // asked",
        CORE + "fitting = [node for node in nodes if room[node] >= asked]",
        CORE + "ordered = sorted(nodes, key=lambda node: score[node])",
        CORE + "best = max(nodes, key=score.get)",
        CORE + "nodes.sort()",
        "cpu = node.cpu_milli",
        "room = state.ledger.inventory",
        "before = seating.before[0]",
        "from scheduler.core.ledger.index.room import Room",
        "from scheduler.core.placement.scoring.terms import tightest_fit",
        "import numpy",
    ],
)
def test_code_of_its_own_for_what_fits_and_what_is_best_is_found(source: str) -> None:
    assert list(faults(source)), source


@pytest.mark.parametrize(
    "source",
    [
        "total -= pod.devices_milli",
        CORE + "seconds = process_time() - start",
        CORE + "nodes = sorted(read, key=_by_name)",
        CORE + "held = ledger.queue_devices_milli(tenant, chip)",
    ],
)
def test_the_protocol_and_the_clock_are_no_decisions(source: str) -> None:
    assert not list(faults(source)), source
