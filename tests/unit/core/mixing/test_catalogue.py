"""Models known by name."""

import pytest

from scheduler.core.mixing.catalogue import MODELS
from scheduler.core.mixing.counting import active_parameters, layer_parameters, parameters

PUBLISHED_BILLIONS = {
    "gpt2": 0.124,
    "gpt2-xl": 1.56,
    "gpt3-175b": 174.6,
    "llama2-7b": 6.74,
    "llama2-70b": 68.98,
    "llama3-8b": 8.03,
    "llama3-70b": 70.55,
    "llama3-405b": 405.85,
    "mixtral-8x7b": 46.70,
    "mixtral-8x22b": 140.6,
}


@pytest.mark.parametrize(("name", "billions"), PUBLISHED_BILLIONS.items())
def test_a_model_has_the_parameters_that_were_published_of_it(name: str, billions: float) -> None:
    assert parameters(MODELS[name]) / 1e9 == pytest.approx(billions, rel=0.003)


def test_every_model_is_under_its_own_name_in_small_letters() -> None:
    assert all(name == shape.name == name.lower() for name, shape in MODELS.items())


def test_heads_divide_the_hidden_size_and_keys_are_no_wider() -> None:
    for shape in MODELS.values():
        assert shape.hidden % shape.heads == 0, shape.name
        assert shape.key_value_width <= shape.hidden, shape.name


def test_a_mixture_of_experts_holds_more_than_a_token_goes_through() -> None:
    mixture, dense = MODELS["mixtral-8x7b"], MODELS["llama3-8b"]
    assert layer_parameters(mixture) > 3 * active_parameters(mixture)
    assert layer_parameters(dense) == active_parameters(dense)
