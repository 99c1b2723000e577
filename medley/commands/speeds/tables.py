"""How fast jobs are, as tables."""

from collections.abc import Sequence

from medley.answers import Json
from medley.screens.safe_text import one_line
from medley.screens.tables import Table


def throughputs_table(found: Sequence[Json]) -> Table:
    """Return one row per family and chip type."""
    head = ("TENANT", "FAMILY", "CHIP", "UNITS/S", "MEASURED", "REPORTS", "SET")
    rows = [
        (
            one_line(one["tenant"]),
            one_line(one["family"]),
            one_line(one["chip"]),
            *(_number(one[name]) for name in ("units_per_s", "measured_per_s")),
            str(one["reports"]),
            _number(one["set_per_s"]),
        )
        for one in found
    ]
    nothing = "no throughputs: no training reported progress yet, and nobody set any"
    return Table(head, rows, nothing, numbers=head[3:], spare=("REPORTS", "SET", "MEASURED"))


def profiles_table(found: Sequence[Json]) -> Table:
    """Return one row per family, chip type, tensor-parallel degree and micro-batch."""
    parts = ("layer_forward_s", "layer_backward_s", "embedding_s", "head_s", "update_s")
    numbers = ("DEVICES", "BATCH", "FORWARD MS", "BACKWARD MS", "EMBEDDING MS", "HEAD MS", "UPDATE MS", "REPORTS")
    head = ("TENANT", "FAMILY", "CHIP", *numbers, "SAID")
    rows = [
        (
            one_line(one["tenant"]),
            one_line(one["family"]),
            one_line(one["chip"]),
            str(one["tensor_parallel"]),
            str(one["micro_batch"]),
            *(_milliseconds(one["times"][part]) for part in parts),
            str(one["reports"]),
            "yes" if one["said"] else "",
        )
        for one in found
    ]
    nothing = "no profiles: no training reported what its stages take, and nobody said any"
    return Table(head, rows, nothing, numbers=numbers, spare=("REPORTS", "SAID", "UPDATE MS", "EMBEDDING MS"))


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{1e3 * seconds:.4g}"


def _number(number: float | None) -> str:
    return "" if number is None else f"{number:.6g}"
