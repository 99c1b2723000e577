"""The reference training: every rank learns from its own batches, with the gradients averaged over the gang."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable

import torch

from medley_runtime.api_client import ApiClient
from medley_runtime.devices import Device, open_device
from medley_runtime.endings import TrainingFailed
from medley_runtime.heartbeats.heart import Gauges, Heart
from medley_runtime.heartbeats.memory import device_memory_mib, own_memory_mib
from medley_runtime.launch import Launch, ReferenceTraining
from medley_runtime.output import print_line, warn_line
from medley_runtime.reference_training.batches import SEEDS, Batches
from medley_runtime.reference_training.gang import Gang, joined_gang
from medley_runtime.reference_training.keeping import Called, Keeper
from medley_runtime.reference_training.model import Gpt
from medley_runtime.reference_training.narration import Listeners, Narration
from medley_runtime.reference_training.weights import AdamW, FlatWeights
from medley_runtime.regrouping.generation import next_launch
from medley_runtime.stop_signals import StopRequest

WARM_UP_STEPS = 5
CLIP_NORM = 1.0
LAST_RATE_SHARE = 0.1

Tell = Callable[[int, Callable[[], float]], None]
"""Takes a step that is done and how to read its loss."""


def train(launch: Launch, plan: ReferenceTraining, stop: StopRequest) -> None:
    """Train to the end, from the job's newest checkpoint on; afterwards all ranks that train hold the same weights.

    Ranks of roles with a program of their own have no part in it: ranks are counted here without them. Where the gang
    is called to another generation, it is saved, leaves its process group, meets anew, and goes on from there.

    Raises TrainingFailed, RendezvousFailed, AttemptClosed, Stopped, Left.
    """
    device = open_device(launch)
    torch.manual_seed(plan.seed % SEEDS)  # every rank starts from the same weights
    weights = FlatWeights(model := Gpt(plan).to(device.torch_name))
    client = ApiClient(launch.api_url, launch.token, warn_line)
    while not _train_as(launch, plan, stop, Means(device, model, weights, client)):
        launch = next_launch(launch, client)


@dataclass(frozen=True)
class Means:
    """What a worker keeps from generation to generation."""

    device: Device
    model: Gpt
    weights: FlatWeights
    client: ApiClient


def _train_as(launch: Launch, plan: ReferenceTraining, stop: StopRequest, means: Means) -> bool:
    """Train as one of a generation; say whether to the end, and not until another one is called."""
    trainers, device, model = launch.in_program, means.device, means.model
    print_line(f"rank {trainers.rank} of {trainers.world_size} on {launch.node}: {device.description}")
    with joined_gang(launch, device, means.client) as gang:
        optimiser = AdamW(means.weights, CLIP_NORM)
        keeper = None if launch.checkpoints is None else Keeper(launch, launch.checkpoints, gang, stop=stop)
        first = 0 if keeper is None else keeper.resume(plan, model, optimiser)
        with _narrator(launch, plan, device, keeper=keeper, first=first) as tell:
            after_step = _stay_idle if keeper is None else keeper.after_step
            try:
                _take_steps(plan, gang, model, optimiser, Course(first, tell, after_step))
            except Called:
                return False
            if keeper is not None:
                keeper.finish(plan.steps)
        _require_same_weights(gang, means.weights.digest())
    return True


@dataclass(frozen=True)
class Course:
    """What steps there are, and what is done after each."""

    first: int
    """Steps that were taken before."""
    tell: Tell
    after_step: Callable[[int], object]


def _take_steps(plan: ReferenceTraining, gang: Gang, model: Gpt, optimiser: AdamW, course: Course) -> None:
    batches, weights = Batches(plan, gang.rank), optimiser.weights
    for step in range(course.first + 1, plan.steps + 1):
        weights.take_gradient(model.loss(batches.draw(step).to(weights.values.device)))
        gang.average(weights.gradient_and_loss)
        optimiser.step(_learning_rate(plan, step))
        gang.align(weights.values)
        course.tell(step, weights.mean_loss)
        course.after_step(step)


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
def _narrator(
    launch: Launch, plan: ReferenceTraining, device: Device, *, keeper: Keeper | None, first: int
) -> Iterator[Tell]:
    """Rank 0 speaks for the gang."""
    if launch.in_program.rank > 0:
        yield _stay_silent
        return
    gauges = Gauges(
        memory_mib=lambda: max(own_memory_mib(), 0 if keeper is None else keeper.memory_mib),
        device_memory_mib=lambda: device_memory_mib(device.torch_name),
    )
    # An outage of the API is told by the heart, once; the client's own remarks would repeat it.
    heart = Heart(launch, ApiClient(launch.api_url, launch.token, _swallow), gauges=gauges, reports=1)
    if keeper is not None:
        keeper.on_saved = heart.saved
        keeper.called = lambda: heart.called
    try:
        listeners = Listeners(time.monotonic, heart.report)
        yield Narration(plan, launch.in_program.world_size, listeners, first=first).tell
    finally:
        heart.close()


def _stay_silent(step: int, loss: Callable[[], float]) -> None:
    """Rank 0 tells this step."""


def _stay_idle(step: int) -> None:
    """Nothing is kept."""


def _swallow(text: str) -> None:
    """Say nothing."""
