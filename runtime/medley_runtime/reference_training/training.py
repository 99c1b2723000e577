"""The reference training: every rank learns from its own batches, with the gradients averaged over the gang."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

import torch

from medley_runtime.api_client import ApiClient
from medley_runtime.devices import open_device
from medley_runtime.endings import TrainingFailed
from medley_runtime.launch import Launch, ReferenceTraining
from medley_runtime.output import print_line, warn_line
from medley_runtime.progress import ProgressReporter
from medley_runtime.reference_training.batches import SEEDS, Batches
from medley_runtime.reference_training.gang import Gang, joined_gang
from medley_runtime.reference_training.model import Gpt
from medley_runtime.reference_training.narration import Listeners, Narration
from medley_runtime.reference_training.weights import AdamW, FlatWeights

WARM_UP_STEPS = 5
CLIP_NORM = 1.0
LAST_RATE_SHARE = 0.1

Tell = Callable[[int, Callable[[], float]], None]
"""Takes a step that is done and how to read its loss."""


def train(launch: Launch, plan: ReferenceTraining) -> None:
    """Train to the end; afterwards all ranks that train hold the same weights.

    Ranks of roles with a program of their own have no part in it: ranks are counted here without them.

    Raises TrainingFailed, RendezvousFailed, AttemptClosed.
    """
    trainers = launch.in_program
    device = open_device(launch)
    print_line(f"rank {trainers.rank} of {trainers.world_size} on {launch.node}: {device.description}")
    torch.manual_seed(plan.seed % SEEDS)  # every rank starts from the same weights
    weights = FlatWeights(model := Gpt(plan).to(device.torch_name))
    client = ApiClient(launch.api_url, launch.token, warn_line)
    with joined_gang(launch, device, client) as gang:
        with _narrator(launch, plan) as tell:
            _take_steps(plan, gang, model, weights, tell)
        _require_same_weights(gang, weights.digest())


def _take_steps(plan: ReferenceTraining, gang: Gang, model: Gpt, weights: FlatWeights, tell: Tell) -> None:
    batches = Batches(plan, gang.rank)
    optimiser = AdamW(weights, CLIP_NORM)
    for step in range(1, plan.steps + 1):
        weights.take_gradient(model.loss(batches.draw().to(weights.values.device)))
        gang.average(weights.gradient_and_loss)
        optimiser.step(_learning_rate(plan, step))
        gang.align(weights.values)
        tell(step, weights.mean_loss)


def _learning_rate(plan: ReferenceTraining, step: int) -> float:
    """Rise over the first steps, then fall along a line to a tenth at the last."""
    warmth = min(step / WARM_UP_STEPS, 1.0)
    return plan.learning_rate * warmth * (1.0 - (1.0 - LAST_RATE_SHARE) * step / plan.steps)


def _require_same_weights(gang: Gang, digest: bytes) -> None:
    print_line(f"rank {gang.rank} weights sha256={digest.hex()[:16]}")
    others = [rank for rank, other in enumerate(gang.gather_digests(digest)) if other != digest]
    if others:
        ranks = ", ".join(str(rank) for rank in others)
        reason = f"the weights of rank {gang.rank} differ from those of rank {ranks}"
        raise TrainingFailed(f"{reason}; a device computed or a network carried something wrongly, so do not use them")


@contextmanager
def _narrator(launch: Launch, plan: ReferenceTraining) -> Iterator[Tell]:
    """Rank 0 speaks for the gang."""
    if launch.in_program.rank > 0:
        yield _stay_silent
        return
    # An outage of the API is told by the reporter, once; the client's own remarks would repeat it.
    reporter = ProgressReporter(launch, ApiClient(launch.api_url, launch.token, _swallow))
    try:
        yield Narration(plan, launch.in_program.world_size, Listeners(time.monotonic, reporter.report)).tell
    finally:
        reporter.close()


def _stay_silent(step: int, loss: Callable[[], float]) -> None:
    """Rank 0 tells this step."""


def _swallow(text: str) -> None:
    """Say nothing."""
