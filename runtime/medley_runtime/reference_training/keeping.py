"""How the reference training saves itself while it runs, resumes, and stops when it is asked to."""

from __future__ import annotations

import dataclasses
import time
from typing import Any, Callable

from torch import Tensor, nn

from medley_runtime.checkpoints.saver import Saver, Unreadable
from medley_runtime.checkpoints.shelf import Name, Shelf
from medley_runtime.endings import Stopped, TrainingFailed
from medley_runtime.heartbeats.memory import own_memory_mib
from medley_runtime.job.agreement import Agreement, Wishes
from medley_runtime.launch import Checkpoints, Launch, ReferenceTraining
from medley_runtime.output import print_line, warn_line
from medley_runtime.reference_training.gang import Gang
from medley_runtime.reference_training.weights import AdamW
from medley_runtime.stop_signals import StopRequest

PREPARED_SHARE = 0.5
"""Of the interval: then the memory for the first copy is made, beside the training."""
NOT_OF_THE_MODEL = frozenset({"steps", "batch", "learning_rate", "seed"})
DEAF_S = 30.0
"""A training that could not be saved does not try to go on as another generation for so long."""
LOADED, UNREADABLE, OTHER_MODEL = 0.0, 1.0, 2.0


class Called(Exception):
    """All ranks know that the gang is called to another generation, and what they have is saved."""

    def __init__(self, generation: int) -> None:
        super().__init__(generation)
        self.generation = generation


class Keeper:
    """Keeps one training. All ranks make the same calls, in the same order."""

    def __init__(self, launch: Launch, place: Checkpoints, gang: Gang, *, stop: StopRequest) -> None:
        self._launch = launch
        self._place = place
        self._gang = gang
        self._stop = stop
        self._is_first = gang.rank == 0
        self._shelf = Shelf(place.folder, place.keep)
        self._exchange = gang.exchange()
        self._agreement = Agreement(self._exchange, is_first=self._is_first)
        self._saver = Saver(self._shelf, gang.side_group(), is_first=self._is_first, on_saved=self._tell)
        self._began_s = self._asked_s = time.monotonic()
        self._told_trouble: str | None = None
        self.on_saved: Callable[[int], None] = _ignore
        """Hears, from another thread, of each step that is saved; on the first rank only."""
        self.called: Callable[[], int] = _nobody_calls
        """Says which generation the gang is called to; on the first rank only."""
        self._deaf_until_s = 0.0
        self.memory_mib = 0
        """Of the rank that uses most, as of the latest exchange."""

    def resume(self, plan: ReferenceTraining, model: nn.Module, optimiser: AdamW) -> int:
        """Fill model and optimiser from the newest checkpoint that can be read; return its step, 0 where there is none.

        Raises TrainingFailed where it is one of another model.
        """
        self._plan, self._state = plan, state_of(model, optimiser)
        candidates = self._shelf.whole() if self._is_first else []
        count = int(self._same(float(len(candidates))))
        for place in range(count):
            name = self._same_name(candidates[place] if self._is_first else None)
            verdict = self._same(self._try(name))
            if verdict == OTHER_MODEL:
                where = self._shelf.path(name)
                raise TrainingFailed(f"{where} is a checkpoint of another model; move it away, or train that model")
            if verdict == LOADED:
                optimiser.steps = name.step
                if self._is_first:
                    print_line(f"resuming from step {name.step}, saved by attempt {name.attempt}")
                self._stop.await_training(is_awaited=True)
                return name.step
        if count:
            raise_anew = (
                "no checkpoint can be read, so the training begins anew; what is there stays until it is pruned"
            )
            warn_line(raise_anew)
        self._stop.await_training(is_awaited=True)
        return 0

    def after_step(self, step: int) -> None:
        """Save where that is due.

        Raises Stopped once all ranks know that the training is to end, and it is saved; Called, likewise, once it is to
        go on as another generation.
        """
        wishes = self._agreement.ask(self._wishes)
        self.memory_mib = max(wishes.memory_mib, 0)
        is_called = wishes.generation > self._launch.generation
        if wishes.save or wishes.stop or is_called:
            self._save(step)
        if wishes.stop:
            self._saver.wait()
            self._warn()
            saved = "could not save and" if self._saver.trouble else f"saved step {step} and"
            raise Stopped(f"rank {self._gang.rank} {saved} ends, as it was asked to")
        if is_called:
            self._leave(step, wishes.generation)

    def _leave(self, step: int, generation: int) -> None:
        """Raise Called, unless the training could not be saved: then it goes on as it is, and tries again later."""
        self._saver.wait()
        self._warn()
        if self._same(float(self._saver.trouble is not None)):
            self._deaf_until_s = time.monotonic() + DEAF_S
            return
        if self._is_first:
            print_line(f"leaving the gang of {self._gang.world_size} after step {step}, to go on as another generation")
        self._stop.await_training(is_awaited=False)
        raise Called(generation)

    def finish(self, step: int) -> None:
        """Save the trained model, unless the training was too short for any checkpoint; return when it is written."""
        was_long = self._same(float(time.monotonic() - self._began_s >= self._place.interval_s))
        if was_long and step:
            self._save(step)
        self._saver.wait()
        self._warn()
        self._stop.await_training(is_awaited=False)

    def _save(self, step: int) -> None:
        facts: dict[str, Any] = {"world_size": self._gang.world_size, "model": _model_of(self._plan)}
        name = Name(self._launch.attempt_number, self._launch.generation, step)
        self._saver.wait()
        self._warn()
        self._saver.save(name, self._state, facts)

    def _wishes(self) -> Wishes:
        now_s = time.monotonic()
        waited_s = now_s - self._asked_s
        if waited_s >= self._place.interval_s * PREPARED_SHARE:
            self._saver.prepare(self._state)
        is_due = self._is_first and waited_s >= self._place.interval_s and not self._saver.is_busy
        if is_due:
            self._asked_s = now_s
        generation = self.called() if now_s >= self._deaf_until_s else 0
        return Wishes(self._stop.is_made, is_due, own_memory_mib(), generation)

    def _try(self, name: Name) -> float:
        """Load a checkpoint; return what came of it."""
        facts = self._shelf.facts(name) or {}
        if facts.get("model") not in (None, _model_of(self._plan)):
            return OTHER_MODEL
        try:
            self._saver.load(name, self._state)
        except Unreadable as error:
            if self._is_first:
                warn_line(f"the checkpoint {self._shelf.path(name)} cannot be read: {error}; looking for an older one")
            return UNREADABLE
        return LOADED

    def _same_name(self, name: Name | None) -> Name:
        own = (0, 0, 0) if name is None else (name.attempt, name.generation, name.step)
        attempt, generation, step = (int(self._same(float(part))) for part in own)
        return Name(attempt, generation, step)

    def _same(self, own: float) -> float:
        """Return the greatest of the ranks' figures."""
        return own if self._exchange is None else self._exchange([own])[0]

    def _warn(self) -> None:
        """Tell once of each trouble; the next save may do better."""
        trouble = self._saver.trouble
        if self._is_first and trouble is not None and trouble != self._told_trouble:
            warn_line(f"a checkpoint was not saved: {trouble}; the training goes on, and tries again when one is due")
        self._told_trouble = trouble

    def _tell(self, name: Name) -> None:
        print_line(f"saved step {name.step} in {self._saver.took_s:.1f} s")
        self.on_saved(name.step)


def state_of(model: nn.Module, optimiser: AdamW) -> dict[str, Tensor]:
    """Return what a training consists of, by names that say nothing of ranks."""
    weights = {f"model.{name}": parameter.detach() for name, parameter in model.named_parameters()}
    return {**weights, **{f"optimiser.{name}": moment for name, moment in optimiser.moments().items()}}


def _model_of(plan: ReferenceTraining) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(plan).items() if name not in NOT_OF_THE_MODEL}


def _nobody_calls() -> int:
    return 0


def _ignore(step: int) -> None:
    """Nobody listens."""
