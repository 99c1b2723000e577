"""Steps of a training in a process of its own, with checkpoints saved in some way: a child of the benchmark."""

import tempfile
import time
import warnings
from importlib import import_module
from itertools import pairwise
from typing import Any

from medley_runtime.checkpoints.saver import Saver, without_check_sums
from medley_runtime.checkpoints.shelf import Name, Shelf
from medley_runtime.launch import ReferenceTraining
from medley_runtime.torch_loading import load_torch

from bench.kubernetes.children import answer_questions

NONE, ASYNCHRONOUS, SYNCHRONOUS = "none", "asynchronous", "synchronous"


class Training:
    """One model, stepped again and again; what it learns does not matter."""

    def __init__(self, folder: str, plan: ReferenceTraining) -> None:
        import torch  # noqa: PLC0415 - once it was loaded as the runtime does
        from medley_runtime.reference_training.batches import Batches  # noqa: PLC0415
        from medley_runtime.reference_training.keeping import state_of  # noqa: PLC0415
        from medley_runtime.reference_training.model import Gpt  # noqa: PLC0415
        from medley_runtime.reference_training.weights import AdamW, FlatWeights  # noqa: PLC0415

        torch.manual_seed(plan.seed)
        self._model = Gpt(plan)
        self._weights = FlatWeights(self._model)
        self._optimiser = AdamW(self._weights, 1.0)
        self._batches = Batches(plan, 0)
        self._state = state_of(self._model, self._optimiser)
        self._shelf = Shelf(folder, 1)
        self._saver = Saver(self._shelf, None, is_first=True, on_saved=str)
        self._step = 0
        self.state_mib = sum(tensor.numel() * tensor.element_size() for tensor in self._state.values()) / 2**20

    def run(self, mode: str, steps: int) -> dict[str, Any]:
        """Take steps, saving after the first; return what each took, and then the rest of the writing."""
        called_s = 0.0
        times_s = [time.perf_counter()]
        for number in range(steps):
            self._take_step()
            if mode != NONE and number == 0:
                called_s = self._save(mode)
            times_s.append(time.perf_counter())
        self._saver.wait()
        times_s.append(time.perf_counter())
        if self._saver.trouble is not None:
            raise RuntimeError(self._saver.trouble)
        parts_s = [later - earlier for earlier, later in pairwise(times_s)]
        return {"parts_s": parts_s, "called_s": called_s, "written_s": self._saver.took_s}

    def _take_step(self) -> None:
        self._step += 1
        self._weights.take_gradient(self._model.loss(self._batches.draw(self._step)))
        self._optimiser.step(1e-4)

    def _save(self, mode: str) -> float:
        began_s = time.perf_counter()
        name = Name(1, 1, self._step)
        if mode == ASYNCHRONOUS:
            self._saver.save(name, self._state, {})
        else:
            self._save_here(name)
        return time.perf_counter() - began_s

    def _save_here(self, name: Name) -> None:
        """Save as the runtime does, as durably, but in the training's own thread and from its own memory."""
        library: Any = import_module("torch.distributed.checkpoint")
        with without_check_sums():
            library.save(dict(self._state), storage_writer=library.FileSystemWriter(self._shelf.partial(name)))
        self._shelf.commit(name, {})
        self._shelf.tidy(name)


def main() -> None:
    """Answer questions: the first one makes the training, each further one runs it."""
    load_torch()
    warnings.simplefilter("ignore")
    trainings: list[Training] = []
    with tempfile.TemporaryDirectory(prefix="checkpoints-") as folder:

        def answer(question: dict[str, Any]) -> dict[str, Any]:
            if not trainings:
                trainings.append(Training(folder, ReferenceTraining(**question)))
                return {"state_mib": trainings[0].state_mib}
            return trainings[0].run(question["mode"], question["steps"])

        answer_questions(answer)


if __name__ == "__main__":
    main()
