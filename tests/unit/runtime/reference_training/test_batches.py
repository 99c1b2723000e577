import dataclasses

import torch
from medley_runtime.launch import ReferenceTraining
from medley_runtime.reference_training.batches import CORPUS, Batches

PLAN = ReferenceTraining(steps=1, batch=3, sequence=10, width=8, layers=1, heads=1, learning_rate=0.01, seed=1)


def test_each_row_is_a_piece_of_the_text() -> None:
    text = CORPUS.read_bytes()

    for row in Batches(PLAN, rank=0).draw(1):
        assert bytes(row.tolist()) in text + text[: PLAN.sequence]


def test_batches_are_a_function_of_seed_rank_and_step() -> None:
    def drawn(seed: int, rank: int, step: int = 1) -> list[list[int]]:
        rows: list[list[int]] = Batches(dataclasses.replace(PLAN, seed=seed), rank).draw(step).tolist()
        return rows

    assert drawn(1, 0) == drawn(1, 0)
    assert drawn(1, 0) != drawn(1, 1)
    assert drawn(1, 0) != drawn(2, 0)
    assert drawn(1, 0) != drawn(1, 0, step=2)
    assert drawn(-5, 0) == drawn(-5, 0)


def test_a_sequence_longer_than_the_text_goes_around() -> None:
    length = len(CORPUS.read_bytes())
    rows = Batches(dataclasses.replace(PLAN, batch=1, sequence=length + 5), rank=0).draw(1)

    assert rows.shape == (1, length + 6)
    assert torch.equal(rows[0, :6], rows[0, length:])


def test_the_text_is_plain_and_of_the_size_that_was_tuned_for() -> None:
    text = CORPUS.read_bytes()

    assert text.isascii()
    assert 8_000 < len(text) < 16_000
