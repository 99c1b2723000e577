"""The choice "best": which of several places is best where a job has no order among its options."""

from typing import Any

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.job import AnyOf, ExactMix
from scheduler.core.placement.gang import place
from scheduler.core.placement.placer import Placer
from scheduler.core.placement.preference import choose
from scheduler.core.placement.request import GangRequest
from scheduler.core.placement.scoring.weights import ChipWorth, Weights
from tests.builders.core import make_ledger, make_node
from tests.builders.placing import ask

NOTHING: dict[str, Any] = {"closeness": 0.0, "node": 0.0, "chip_value": 0.0, "headroom": 0.0}


def chosen(ledger: Ledger, request: GangRequest, *, worth: ChipWorth | None = None, **weights: float) -> str | None:
    """Return the chip type of the option that is best by these weights alone."""
    placer = Placer(ledger, Weights(**{**NOTHING, **weights}), worth or ChipWorth())
    places = [found for option in request.options if (found := place(placer, request, option)) is not None]
    return choose(placer, places).allocations[0].chip


EITHER = AnyOf(("h100", "mlu"))


def test_the_option_whose_workers_are_closer_together_is_better() -> None:
    ledger = make_ledger(
        *(make_node(name, {"h100": 1}, rack="r1") for name in "ab"), make_node("c", {"mlu": 2}, rack="r1")
    )
    assert chosen(ledger, ask(2, chips=EITHER), closeness=1.0) == "mlu"


def test_one_rack_is_closer_than_several() -> None:
    ledger = make_ledger(
        *(make_node(f"a{rack}", {"h100": 1}, rack=rack) for rack in ("r1", "r2")),
        *(make_node(f"b{number}", {"mlu": 1}, rack="r3") for number in (1, 2)),
    )
    assert chosen(ledger, ask(2, chips=EITHER), closeness=1.0) == "mlu"


def test_the_option_that_spares_the_more_valuable_chips_is_better() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2}), make_node("b", {"mlu": 2}))
    worth = ChipWorth(values={"h100": 1.0, "mlu": 0.2})
    assert chosen(ledger, ask(1, chips=EITHER), worth=worth, chip_value=1.0) == "mlu"
    assert chosen(ledger, ask(1, chips=EITHER), worth=ChipWorth(values={"mlu": 0.2}), chip_value=1.0) == "h100"


def test_the_option_that_keeps_devices_free_for_inference_is_better() -> None:
    ledger = make_ledger(make_node("a", {"h100": 4}), make_node("b", {"mlu": 16}))
    worth = ChipWorth(headroom_devices={"h100": 4, "mlu": 4})
    assert chosen(ledger, ask(4, chips=EITHER), worth=worth, headroom=1.0) == "mlu"
    assert chosen(ledger, ask(4, chips=EITHER), worth=ChipWorth(headroom_devices={"mlu": 16}), headroom=1.0) == "h100"


def test_the_option_on_the_better_nodes_is_better() -> None:
    ledger = make_ledger(make_node("a", {"h100": 8}), make_node("b", {"mlu": 1}))
    assert chosen(ledger, ask(1, chips=EITHER), node=1.0) == "mlu", "nothing is left of a node"


def test_what_weighs_more_decides() -> None:
    ledger = make_ledger(*(make_node(name, {"h100": 1}) for name in "ab"), make_node("c", {"mlu": 2}))
    worth = ChipWorth(values={"mlu": 1.0})
    assert chosen(ledger, ask(2, chips=EITHER), worth=worth, closeness=2.0, chip_value=1.0) == "mlu"
    assert chosen(ledger, ask(2, chips=EITHER), worth=worth, closeness=1.0, chip_value=2.0) == "h100"


def test_equals_end_in_the_name_of_the_first_node_whatever_the_order_of_the_options() -> None:
    ledger = make_ledger(make_node("a", {"mlu": 2}), make_node("b", {"h100": 2}))
    assert chosen(ledger, ask(1, chips=EITHER)) == "mlu"
    assert chosen(ledger, ask(1, chips=AnyOf(("mlu", "h100")))) == "mlu"


def test_a_mix_counts_as_the_mean_of_its_parts() -> None:
    ledger = make_ledger(make_node("a", {"h100": 4}), make_node("b", {"mlu": 4}))
    assert chosen(ledger, ask(chips=ExactMix((("h100", 1), ("mlu", 1)))), closeness=1.0, chip_value=1.0) == "h100"


def test_a_placer_that_draws_takes_an_option_as_often_as_it_has_nodes() -> None:
    ledger = make_ledger(make_node("a", {"mlu": 1}), *(make_node(name, {"h100": 1}) for name in "bcd"))
    request = ask(1, chips=EITHER)
    found = []
    for number in range(4):
        placer = Placer(ledger, draw=lambda below, number=number: number if below == 4 else 0)  # type: ignore[misc]
        places = [one for option in request.options if (one := place(placer, request, option)) is not None]
        found.append(choose(placer, places).allocations[0].chip)
    assert found == ["h100", "h100", "h100", "mlu"]
