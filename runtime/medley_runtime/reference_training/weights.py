"""A model's parameters as one vector: averaged, updated and compared in one go each."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn

FIRST_MOMENT_DECAY = 0.9
SECOND_MOMENT_DECAY = 0.95
WEIGHT_DECAY = 0.01
TINY = 1e-8


class FlatWeights:
    """Moves a model's parameters and gradients into two vectors, of which they become views."""

    def __init__(self, model: nn.Module) -> None:
        parameters = list(model.parameters())
        self.values = torch.cat([parameter.detach().flatten() for parameter in parameters])
        size = len(self.values)
        self.gradient_and_loss = torch.zeros(size + 1, dtype=self.values.dtype, device=self.values.device)
        """The loss rides along, so that one exchange per step averages both."""
        self.gradient = self.gradient_and_loss[:size]
        start = 0
        for parameter in parameters:
            end = start + parameter.numel()
            parameter.data = self.values[start:end].view_as(parameter)
            parameter.grad = self.gradient[start:end].view_as(parameter)
            start = end

    def take_gradient(self, loss: Tensor) -> None:
        """Fill `gradient_and_loss` from this loss."""
        self.gradient_and_loss.zero_()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.gradient_and_loss[-1] = loss.detach()

    def mean_loss(self) -> float:
        """Return the loss that was averaged with the gradient; waits for the device."""
        return float(self.gradient_and_loss[-1])

    def digest(self) -> bytes:
        """Return the SHA-256 of all values."""
        copy = bytearray(self.values.numel() * self.values.element_size())
        torch.frombuffer(copy, dtype=self.values.dtype).copy_(self.values)
        return hashlib.sha256(copy).digest()


class AdamW:
    """AdamW over the vector, after clipping the gradient's norm.

    Not torch.optim's: importing that takes longer than the whole default training.
    """

    def __init__(self, weights: FlatWeights, clip_norm: float) -> None:
        self.weights = weights
        self._clip_norm = clip_norm
        self._first_moment = torch.zeros_like(weights.values)
        self._second_moment = torch.zeros_like(weights.values)
        self.steps = 0
        """Taken so far; to be set where moments were loaded."""

    def moments(self) -> dict[str, Tensor]:
        """Return what is learnt of the gradients, to be saved and filled in again."""
        return {"first_moment": self._first_moment, "second_moment": self._second_moment}

    def step(self, learning_rate: float) -> None:
        """Update the weights from their gradient."""
        values, gradient = self.weights.values, self.weights.gradient
        self.steps += 1
        gradient.mul_((self._clip_norm / (gradient.norm() + TINY)).clamp(max=1.0))
        self._first_moment.lerp_(gradient, 1 - FIRST_MOMENT_DECAY)
        self._second_moment.mul_(SECOND_MOMENT_DECAY).addcmul_(gradient, gradient, value=1 - SECOND_MOMENT_DECAY)
        first_share = 1 - FIRST_MOMENT_DECAY**self.steps
        second_share = 1 - SECOND_MOMENT_DECAY**self.steps
        spread = (self._second_moment / second_share).sqrt_().add_(TINY)
        values.mul_(1 - learning_rate * WEIGHT_DECAY)
        values.addcdiv_(self._first_moment, spread, value=-learning_rate / first_share)
