from scheduler.core.placement.scoring.facts import NO_FACTS
from scheduler.core.placement.scoring.job_mix import NO_MIX, JobMix, WorkerKind
from scheduler.core.placement.scoring.terms import (
    FragmentationGradient,
    Gain,
    Rarity,
    Slant,
    tightest_fit,
)
from scheduler.core.placement.scoring.weights import DEFAULT_WEIGHTS, ChipWorth, Weights, node_terms

MIX = JobMix(((WorkerKind(1_000, 1_000, 1, ()), 1.0),))


def test_while_no_mix_of_jobs_is_known_only_the_tightest_fit_counts_whatever_the_weights() -> None:
    for weights in (DEFAULT_WEIGHTS, Weights(tightest_fit=0.0)):
        (only,) = node_terms(weights, NO_MIX, NO_FACTS)
        assert (only.term, only.weight) == (tightest_fit, 1.0)


def test_with_a_mix_every_term_counts_by_its_own_weight() -> None:
    weights = Weights(usable=1.0, reachable=2.0, waste=3.0, slant=4.0, rarity=5.0, fragmentation=6.0, tightest_fit=7.0)
    terms = node_terms(weights, MIX, NO_FACTS)
    assert [(type(one.term), one.weight) for one in terms[:-1]] == [
        (Gain, 1.0),
        (Slant, 4.0),
        (Rarity, 5.0),
        (FragmentationGradient, 6.0),
    ]
    gain = terms[0].term
    assert isinstance(gain, Gain)
    assert (gain.usable, gain.reachable, gain.waste) == (1.0, 2.0, 3.0)
    assert (terms[-1].term, terms[-1].weight) == (tightest_fit, 7.0)


def test_a_chip_type_that_is_not_named_is_worth_nothing_and_needs_no_headroom() -> None:
    worth = ChipWorth()
    assert (worth.values.get("h100", 0.0), worth.headroom_devices.get("h100", 0)) == (0.0, 0)
