import pytest

from api.text.waiting.promises import dropped_text, promise_text
from scheduler.core.model.waiting.promise import AwaitedEnd, Basis, DropReason, NodeRoom, Promise
from tests.builders.core import NOON


def awaited(*bases: Basis) -> Promise:
    ends = tuple(AwaitedEnd(str(number), NOON, basis, ()) for number, basis in enumerate(bases))
    return Promise("g", NOON, None, (NodeRoom("mixed/n2"), NodeRoom("mixed/n1")), ends)


def test_what_a_promise_counts_on_is_said_firmest_first() -> None:
    assert promise_text(awaited(Basis.GUESSED, Basis.LIMIT, Basis.LIMIT)) == (
        "room is kept for it from 2026-01-01 12:00:00 UTC on mixed/n1 and mixed/n2: by then 2 attempts end by their "
        "time limit and 1 attempt is guessed to have ended, for nothing is known of it"
    )
    assert promise_text(awaited(Basis.LIMIT)).endswith("by then 1 attempt ends by its time limit")
    assert promise_text(awaited(Basis.PROMISED)).endswith("by then 1 job with room kept before it ends")


@pytest.mark.parametrize("basis", Basis)
def test_every_basis_has_words(basis: Basis) -> None:
    assert ": by then 1 " in promise_text(awaited(basis))


def test_every_reason_to_drop_one_is_said_in_words_of_its_own() -> None:
    assert len({dropped_text(why) for why in DropReason}) == len(DropReason)
