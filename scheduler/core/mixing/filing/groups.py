"""Which ranks form a stage, and which of them work together."""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.core.mixing.plan import Plan


@dataclass(frozen=True, slots=True)
class Groups:
    """The ranks of one stage. They are numbered through the stages, in a stage replica by replica.

    Replica r of the stage is the ranks from `first_rank + r * tensor_parallel` on, which are its tensor-parallel group.
    Rank j of each of these groups together are one data-parallel group: `first_rank + j`, and so on in steps of
    `tensor_parallel`. What replica r of a stage gives goes to replica r of the next.
    """

    first_rank: int
    ranks: int
    tensor_parallel: int
    """Ranks of one tensor-parallel group, which stand next to each other."""
    data_parallel: int
    """Ranks of one data-parallel group, `tensor_parallel` apart."""

    def tensor_groups(self) -> list[range]:
        """Return the ranks of each tensor-parallel group, one per replica."""
        size = self.tensor_parallel
        return [range(first, first + size) for first in range(self.first_rank, self.first_rank + self.ranks, size)]

    def data_groups(self) -> list[range]:
        """Return the ranks of each data-parallel group, one per part of a layer."""
        end = self.first_rank + self.ranks
        return [range(self.first_rank + part, end, self.tensor_parallel) for part in range(self.tensor_parallel)]


def groups_of(plan: Plan) -> Sequence[Groups]:
    """Return the groups of each stage of a plan."""
    found, first_rank = [], 0
    for stage in plan.stages:
        ranks = stage.tensor_parallel * plan.data_parallel
        found.append(Groups(first_rank, ranks, stage.tensor_parallel, plan.data_parallel))
        first_rank += ranks
    return found
