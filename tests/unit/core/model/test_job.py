from scheduler.core.model.job import AnyOf, ExactMix, Part
from tests.builders.core import make_job


def test_every_acceptable_chip_is_one_option_for_the_whole_gang_in_the_users_order() -> None:
    spec = make_job(chips=AnyOf(("mlu", "h100")), workers=4).spec
    assert spec.options() == ((Part("mlu", 4, spec.shape),), (Part("h100", 4, spec.shape),))


def test_an_exact_mix_is_a_single_option() -> None:
    spec = make_job(chips=ExactMix((("mlu", 1), ("h100", 3)))).spec
    assert spec.options() == ((Part("mlu", 1, spec.shape), Part("h100", 3, spec.shape)),)
