import itertools
from collections.abc import Callable

import pytest
import torch
from medley_runtime.endings import TrainingFailed
from medley_runtime.launch import ReferenceTraining
from medley_runtime.reference_training.gang import Gang
from medley_runtime.reference_training.model import Gpt
from medley_runtime.reference_training.training import CLIP_NORM, Course, _require_same_weights, _take_steps
from medley_runtime.reference_training.weights import AdamW, FlatWeights
from torch import Tensor

DEFAULTS = ReferenceTraining(60, 8, 64, 64, 2, 2, 0.003, 1)


class LoneGang(Gang):
    """One rank, and the digests that others are said to have."""

    def __init__(self, *others: bytes) -> None:
        self.rank = 0
        self.world_size = 1 + len(others)
        self.others = others

    def average(self, values: Tensor) -> None:
        """Leave the mean of one as it is."""

    def align(self, values: Tensor) -> None:
        """Leave the weights as they are."""

    def gather_digests(self, digest: bytes) -> list[bytes]:
        """Return its own first."""
        return [digest, *self.others]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_loss_falls_below_3_without_jumps(seed: int) -> None:
    losses: list[float] = []

    def note(step: int, loss: Callable[[], float]) -> None:
        losses.append(loss())

    torch.manual_seed(seed)
    model = Gpt(DEFAULTS)
    optimiser = AdamW(FlatWeights(model), CLIP_NORM)
    _take_steps(DEFAULTS, LoneGang(), model, optimiser, Course(0, note, str))

    assert losses[0] > 5.4
    assert losses[-1] < 2.8
    assert max(later - earlier for earlier, later in itertools.pairwise(losses)) < 0.5


def test_weights_that_differ_end_the_training_with_the_ranks_that_have_them() -> None:
    _require_same_weights(LoneGang(b"a", b"a"), b"a")

    with pytest.raises(TrainingFailed, match="rank 0 differ from those of rank 2, 3;"):
        _require_same_weights(LoneGang(b"a", b"b", b"c"), b"a")
