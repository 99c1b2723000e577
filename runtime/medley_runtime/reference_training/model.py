"""A small GPT over bytes."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from medley_runtime.launch import ReferenceTraining

VOCABULARY = 256
INITIAL_DEVIATION = 0.02
BYTES_DEVIATION = 0.1
"""Wider than the rest: with small embeddings the shared direction of all bytes can flip within a step, and the loss
jumps by several nats. Over 12 seeds of the default training no step's loss rose by more than 0.23."""
FINAL_GAIN = 0.5
"""Keeps the first logits small in spite of the wide embeddings, so that training starts near ln 256."""


class Gpt(nn.Module):
    """Predicts each next byte from the ones before it; input and output share one embedding."""

    def __init__(self, plan: ReferenceTraining) -> None:
        super().__init__()
        self._bytes = nn.Embedding(VOCABULARY, plan.width)
        self._positions = nn.Embedding(plan.sequence, plan.width)
        self._blocks = nn.ModuleList(_Block(plan.width, plan.heads) for _ in range(plan.layers))
        self._norm = nn.LayerNorm(plan.width)
        self.apply(_initialise)
        nn.init.normal_(self._bytes.weight, std=BYTES_DEVIATION)
        nn.init.constant_(self._norm.weight, FINAL_GAIN)
        for name, parameter in self.named_parameters():
            if name.endswith("into_stream.weight"):
                # Each block adds twice to the stream; scaled down, its size does not grow with depth.
                nn.init.normal_(parameter, std=INITIAL_DEVIATION / math.sqrt(2 * plan.layers))

    def loss(self, text: Tensor) -> Tensor:
        """Return the mean loss in nats per byte of rows of `sequence` + 1 bytes."""
        logits = self(text[:, :-1])
        return functional.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())

    def forward(self, text: Tensor) -> Tensor:
        """Return logits for the byte after each place."""
        stream = self._bytes(text) + self._positions(torch.arange(text.shape[1], device=text.device))
        for block in self._blocks:
            stream = block(stream)
        return functional.linear(self._norm(stream), self._bytes.weight)


class _Block(nn.Module):
    """Attention, then a layer that looks at each place alone; both add to the stream."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._attention = _Attention(width, heads)
        self._attention_norm = nn.LayerNorm(width)
        self._places = _Places(width)
        self._places_norm = nn.LayerNorm(width)

    def forward(self, stream: Tensor) -> Tensor:
        stream = stream + self._attention(self._attention_norm(stream))
        summed: Tensor = stream + self._places(self._places_norm(stream))
        return summed


class _Attention(nn.Module):
    """Causal self-attention."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self._queries_keys_values = nn.Linear(width, 3 * width)
        self.into_stream = nn.Linear(width, width)

    def forward(self, stream: Tensor) -> Tensor:
        rows, places, width = stream.shape
        split = self._queries_keys_values(stream).view(rows, places, 3, self._heads, width // self._heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4).unbind(0)
        seen = functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        out: Tensor = self.into_stream(seen.transpose(1, 2).reshape(rows, places, width))
        return out


class _Places(nn.Module):
    """Two layers with a GELU between, at each place alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._widen = nn.Linear(width, 4 * width)
        self.into_stream = nn.Linear(4 * width, width)

    def forward(self, stream: Tensor) -> Tensor:
        out: Tensor = self.into_stream(functional.gelu(self._widen(stream)))
        return out


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=INITIAL_DEVIATION)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
