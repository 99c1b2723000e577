"""What is compared: configurations of the core's scoring, and what they know of the jobs that will come."""

from dataclasses import dataclass
from enum import StrEnum

from scheduler.core.placement.scoring.weights import DEFAULT_WEIGHTS, Weights


class Knowledge(StrEnum):
    """Where the mix of jobs comes from by which nodes are scored."""

    NONE = "none"
    GIVEN = "given"
    """The whole list is known in advance, as the published gradient has it."""
    LEARNT = "learnt"
    """From the jobs that came so far, as the server does."""


@dataclass(frozen=True, slots=True)
class Row:
    """One configuration."""

    name: str
    weights: Weights
    knowledge: Knowledge = Knowledge.NONE
    draws: bool = False
    """Nodes are drawn at random."""


RANDOM = "random"
BEST_FIT = "best_fit"
FGD = "fgd"
OURS = "ours"
LEARNT = "learnt"

NOTHING = {"usable": 0.0, "reachable": 0.0, "waste": 0.0, "slant": 0.0, "rarity": 0.0}
TIGHTEST = Weights(**NOTHING, tightest_fit=1.0)

ROWS = {
    row.name: row
    for row in (
        Row(RANDOM, TIGHTEST, draws=True),
        Row(BEST_FIT, TIGHTEST),
        Row(FGD, Weights(**NOTHING, fragmentation=1.0), Knowledge.GIVEN),
        Row(OURS, DEFAULT_WEIGHTS, Knowledge.GIVEN),
        Row(LEARNT, DEFAULT_WEIGHTS, Knowledge.LEARNT),
    )
}
