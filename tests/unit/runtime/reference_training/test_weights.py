import hashlib
import warnings

import torch
from medley_runtime.reference_training.weights import (
    FIRST_MOMENT_DECAY,
    SECOND_MOMENT_DECAY,
    TINY,
    WEIGHT_DECAY,
    AdamW,
    FlatWeights,
)
from torch import nn


def small_model() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))


def test_the_models_parameters_are_views_of_the_vector() -> None:
    model = small_model()
    want = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    weights = FlatWeights(model)
    assert torch.equal(weights.values, want)

    weights.values.zero_()

    assert float(model(torch.ones(1, 3)).detach().abs().sum()) == 0.0


def test_gradient_and_loss_are_those_of_the_last_step_alone() -> None:
    model, reference = small_model(), small_model()
    weights = FlatWeights(model)
    rows = torch.ones(2, 3)
    for _ in range(2):
        weights.take_gradient(model(rows).square().mean())
    loss = reference(rows).square().mean()
    loss.backward()

    want = torch.cat([parameter.grad.flatten() for parameter in reference.parameters() if parameter.grad is not None])
    assert torch.allclose(weights.gradient, want)
    assert weights.mean_loss() == float(loss.detach())


def test_the_optimiser_agrees_with_torchs_own() -> None:
    model, reference = small_model(), small_model()
    weights = FlatWeights(model)
    own = AdamW(weights, clip_norm=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import has deprecations of its own
        theirs = torch.optim.AdamW(
            reference.parameters(),
            lr=0.01,
            betas=(FIRST_MOMENT_DECAY, SECOND_MOMENT_DECAY),
            eps=TINY,
            weight_decay=WEIGHT_DECAY,
        )
        for step in range(5):
            rows = torch.full((2, 3), float(step + 1))
            weights.take_gradient(model(rows).square().sum())
            own.step(0.01)
            theirs.zero_grad()
            reference(rows).square().sum().backward()
            nn.utils.clip_grad_norm_(reference.parameters(), 0.5)
            theirs.step()

    want = torch.cat([parameter.detach().flatten() for parameter in reference.parameters()])
    assert torch.allclose(weights.values, want, atol=1e-6)


def test_the_digest_is_of_the_bytes_and_one_bit_changes_it() -> None:
    weights = FlatWeights(small_model())
    before = weights.digest()
    assert before == hashlib.sha256(bytes(weights.values.view(torch.uint8).tolist())).digest()

    weights.values[0] = torch.nextafter(weights.values[0], torch.tensor(10.0))

    assert weights.digest() != before
