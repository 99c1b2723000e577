from math import inf

import pytest

from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.policy import (
    Fair,
    Fifo,
    LeastAttained,
    PolicyName,
    RoundByRound,
    ShortestFirst,
    policy_of,
)
from scheduler.core.queueing.policies.service import Past

OLD = Past(age_s=1e9, attained_s=1e9, remaining_s=1e9, devices=1e3)


@pytest.mark.parametrize("name", PolicyName)
def test_every_policy_is_chosen_by_its_name(name: PolicyName) -> None:
    assert policy_of(name).name == name


@pytest.mark.parametrize("policy", [Fifo(), Fair()])
def test_who_came_first_and_whose_turn_it_is_ask_for_no_past(policy: Fifo | Fair) -> None:
    assert policy.level(OLD) == policy.level(Past(0.0)) == 0.0


def test_what_was_attained_counts_in_steps() -> None:
    policy = LeastAttained(levels_s=(10.0, 100.0), patience_s=0.0)
    assert [policy.level(Past(0.0, attained_s=had)) for had in (0.0, 9.9, 10.0, 99.0, 100.0, 1e9)] == [0, 0, 1, 1, 2, 2]


def test_the_shortest_remaining_time_goes_first_and_unknown_ones_last() -> None:
    policy = ShortestFirst()
    assert policy.level(Past(0.0, remaining_s=50.0, devices=8)) == 50.0
    assert policy.level(Past(0.0, devices=1)) == inf


def test_remaining_service_is_time_by_devices() -> None:
    assert ShortestFirst(times_devices=True).level(Past(0.0, remaining_s=50.0, devices=8)) == 400.0


@pytest.mark.parametrize("policy", [LeastAttained(patience_s=60.0), ShortestFirst(patience_s=60.0)])
def test_who_waited_too_long_goes_before_all_others(policy: LeastAttained | ShortestFirst) -> None:
    patient, impatient = Past(59.0), Past(60.0, attained_s=1e9, remaining_s=1e9)
    assert policy.level(impatient) < policy.level(patient)


def test_places_change_with_time_only_by_policies_that_look_at_the_past() -> None:
    assert [Ordering(policy_of(name)).learns for name in PolicyName] == [False, False, True, True, True, True]
    assert [Ordering(policy_of(name)).has_shares for name in PolicyName] == [False, True, False, False, False, False]


def test_who_has_its_turn_goes_before_whoever_has_not() -> None:
    assert RoundByRound().level(Past(0.0, has_turn=True)) < RoundByRound().level(OLD)


def test_what_is_said_of_rounds_is_kept() -> None:
    assert policy_of(PolicyName.ROUNDS, rounds=RoundByRound(60.0)) == RoundByRound(60.0)
