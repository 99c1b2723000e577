import math

import torch
from medley_runtime.launch import ReferenceTraining
from medley_runtime.reference_training.model import VOCABULARY, Gpt

PLAN = ReferenceTraining(steps=1, batch=2, sequence=16, width=16, layers=2, heads=2, learning_rate=0.01, seed=1)


def test_an_untrained_model_finds_all_bytes_about_equally_likely() -> None:
    torch.manual_seed(1)
    text = torch.randint(VOCABULARY, (2, PLAN.sequence + 1))

    assert abs(float(Gpt(PLAN).loss(text).detach()) - math.log(VOCABULARY)) < 0.2


def test_no_place_sees_what_comes_after_it() -> None:
    torch.manual_seed(1)
    model = Gpt(PLAN)
    text = torch.randint(VOCABULARY, (1, PLAN.sequence))
    changed = text.clone()
    changed[0, 10] = (text[0, 10] + 1) % VOCABULARY

    before, after = model(text), model(changed)

    assert torch.allclose(before[0, :10], after[0, :10])
    assert not torch.allclose(before[0, 10:], after[0, 10:])


def test_the_output_shares_the_embedding_of_the_input() -> None:
    shapes = [tuple(parameter.shape) for parameter in Gpt(PLAN).parameters()]

    assert shapes.count((VOCABULARY, PLAN.width)) == 1
