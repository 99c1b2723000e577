import pytest

from api.text.advice import advice
from api.text.reasons import reason_text
from scheduler.core.model.reason import CannotServe, Mismatch


@pytest.mark.parametrize(
    ("reason", "want", "want_advice"),
    [
        (
            CannotServe("east", Mismatch.NODE_LABELS, ("zone=z1", "gpu=hopper")),
            "no node of cluster east has the labels zone=z1 and gpu=hopper",
            "node_labels that nodes have",
        ),
        (
            CannotServe("east", Mismatch.NODE_LABELS, ("zone=z1",), ("zone=z2", "zone=z3")),
            "no node of cluster east has the label zone=z1; its nodes have zone=z2 and zone=z3",
            "node_labels that nodes have",
        ),
        (
            CannotServe("east", Mismatch.LEVEL, ("nvlink",), ("node", "rack", "cluster")),
            "the topology of cluster east has no level nvlink; it has node, rack and cluster",
            "with a level that there is: node, rack or cluster",
        ),
        (
            CannotServe("east", Mismatch.SHARES, ("500",)),
            "cluster east gives whole devices only: it can neither bind a chosen device nor enforce a share of one",
            "devices_per_worker in place of share",
        ),
        (
            CannotServe("east", Mismatch.SHARE_SIZE, ("90000 MiB",), ("81920 MiB",)),
            "no device of cluster east can be shared so: 90000 MiB; there is 81920 MiB",
            "smaller share",
        ),
        (
            CannotServe("east", Mismatch.SPREAD, ("1 per rack",), ("3 racks",)),
            "cluster east has too few domains to spread its workers so: 1 per rack; it has 3 racks",
            "larger spread.most",
        ),
        (
            CannotServe("east", Mismatch.CONTRADICTION, ("one rack", "1 per rack")),
            "two of its wishes exclude each other: one rack and 1 per rack",
            "without one of the two",
        ),
        (
            CannotServe("east", Mismatch.TOGETHER, ("24 h100 in one rack",), ("16 h100",)),
            (
                "cluster east has room for each of its parts and never for all of them together: "
                "they need 24 h100 in one rack; it has 16 h100"
            ),
            "with fewer workers or smaller ones",
        ),
        (
            CannotServe("east", Mismatch.TOGETHER, ("a place in one rack",)),
            (
                "cluster east has room for each of its parts and never for all of them together: "
                "they need a place in one rack"
            ),
            "without topology.require",
        ),
    ],
)
def test_a_wish_that_cannot_be_met_says_what_there_is_and_what_to_ask_for(
    reason: CannotServe, want: str, want_advice: str
) -> None:
    assert reason_text(reason, "demo") == want
    assert want_advice in advice(reason, "j1")


def test_every_mismatch_has_a_sentence_and_advice_even_without_particulars() -> None:
    for mismatch in Mismatch:
        reason = CannotServe("east", mismatch, ())
        assert reason_text(reason, None)
        assert advice(reason, "j1")
