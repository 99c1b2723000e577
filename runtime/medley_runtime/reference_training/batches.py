"""Pieces of the text that ships with the runtime, drawn anew at every step."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from medley_runtime.launch import ReferenceTraining

CORPUS = Path(__file__).parent.parent / "corpus.txt"
RANKS_PER_SEED = 1_000_003
"""A prime above any gang's size: no two (seed, rank) pairs of neighbouring seeds share a generator."""
STEPS_PER_RANK = 6_700_417
"""A prime above any training's steps, for the same reason."""
SEEDS = 2**63


class Batches:
    """The batches of one rank; a function of seed, rank and step alone, so that they go on where they stopped."""

    def __init__(self, plan: ReferenceTraining, rank: int) -> None:
        self._text = torch.frombuffer(bytearray(CORPUS.read_bytes()), dtype=torch.uint8).long()
        self._rows = plan.batch
        self._offsets = torch.arange(plan.sequence + 1)
        self._generator = torch.Generator()
        self._first_seed = (plan.seed * RANKS_PER_SEED + rank) * STEPS_PER_RANK

    def draw(self, step: int) -> Tensor:
        """Return `batch` rows of `sequence` + 1 bytes, on the CPU; the text is a ring, so any length can be had."""
        self._generator.manual_seed((self._first_seed + step) % SEEDS)
        length = len(self._text)
        starts = torch.randint(length, (self._rows, 1), generator=self._generator)
        return self._text[(starts + self._offsets) % length]
