"""What the search says of itself."""

from scheduler.core.mixing.search.found import Bad, BadProblem, NoPlanError, Part, WhyNot


def test_the_part_that_costs_most_is_named() -> None:
    why = WhyNot(1, 2.0, {Part.STEADY: 3.0, Part.FILLING: -1.0, Part.SENDING: 0.0, Part.ENDING: 0.0})
    assert why.part is Part.STEADY


def test_an_error_carries_its_refusal() -> None:
    refusal = BadProblem(Bad.NO_POOL, "pools")
    assert NoPlanError(refusal).refusal is refusal
