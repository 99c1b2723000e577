"""The model that is served: from a training's newest checkpoint, or with fresh weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from medley_runtime.checkpoints.saver import Saver, Unreadable
from medley_runtime.checkpoints.shelf import Shelf
from medley_runtime.devices import Device
from medley_runtime.endings import NoWeights
from medley_runtime.launch import ReferenceServing, ReferenceTraining
from medley_runtime.output import warn_line
from medley_runtime.reference_training.model import VOCABULARY, Gpt

TEMPERATURE = 0.8
FRESH = "fresh"
_SIZES = {"sequence": 64, "width": 64, "layers": 2, "heads": 2}
"""Of a model with fresh weights: those of the reference training's defaults."""
_NOT_SERVED: dict[str, Any] = {"steps": 1, "batch": 1, "learning_rate": 1.0}


@dataclass(frozen=True)
class Served:
    """A model that is ready to go on with texts."""

    model: Gpt
    sequence: int
    """So many bytes it looks back."""
    device: str
    weights: str
    """`step N`, or `fresh`."""

    def go_on(self, prompt: bytes, tokens: int, seed: int) -> bytes:
        """Return so many bytes that follow the prompt; the same for the same seed. Safe from several threads."""
        generator = torch.Generator().manual_seed(seed)
        text = list(prompt) or [ord("\n")]
        with torch.inference_mode():
            for _ in range(tokens):
                seen = torch.tensor([text[-self.sequence :]], device=self.device)
                logits = self.model(seen)[0, -1].float().cpu()[:VOCABULARY]
                shares = torch.softmax(logits / TEMPERATURE, dim=0)
                text.append(int(torch.multinomial(shares, 1, generator=generator)))
        return bytes(text[len(text) - tokens :])


def load_served(plan: ReferenceServing, device: Device) -> Served:
    """Return the model: of the newest checkpoint that can be read, or a fresh one where no folder is named.

    Raises NoWeights.
    """
    torch.manual_seed(plan.seed)
    if plan.folder is None:
        return _served(_training(_SIZES, plan.seed), device, FRESH)
    shelf = Shelf(plan.folder, keep=1)
    for name in shelf.whole():
        try:
            training = _training((shelf.facts(name) or {})["model"], plan.seed)
            served = _served(training, device, f"step {name.step}")
            state = {f"model.{key}": parameter.detach() for key, parameter in served.model.named_parameters()}
            Saver(shelf, None, is_first=True, on_saved=str).load(name, state)
        except (Unreadable, KeyError, TypeError, ValueError, RuntimeError) as error:
            warn_line(f"the checkpoint {shelf.path(name)} cannot be served: {error}; looking for an older one")
            continue
        return served
    next_step = "is it a reference training that ran for longer than its checkpoint_interval_s?"
    raise NoWeights(f"there is no checkpoint to serve in {plan.folder}; {next_step}")


def _training(sizes: dict[str, Any], seed: int) -> ReferenceTraining:
    return ReferenceTraining(**{**_NOT_SERVED, **{name: int(sizes[name]) for name in _SIZES}}, seed=seed)


def _served(training: ReferenceTraining, device: Device, weights: str) -> Served:
    model = Gpt(training).to(device.torch_name).eval()
    return Served(model, training.sequence, device.torch_name, weights)
