"""What devices are worth to jobs, as it is followed by a state."""

from dataclasses import replace

from scheduler.core.deciding.explanation import explain
from scheduler.core.deciding.parts.asked.speeds import Speeds
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.change import ChipDefined, SpeedsChanged
from scheduler.core.model.decision import Placed
from scheduler.core.model.job import AnyOf, Job
from scheduler.core.model.measuring.throughput import JobFamily, Speed
from scheduler.core.model.reason import QuotaExceeded
from scheduler.core.model.sharing.queue import COMPUTE, QueueQuota
from tests.builders.core import NOON, as_change, make_group, make_job, make_node, make_state, place_first
from tests.builders.database import make_chip

CHIPS = (
    make_chip("h100", dense_bf16_tflops=1_000.0, measured_tflops=None),
    make_chip("t4", dense_bf16_tflops=60.0, measured_tflops=None),
)
BERT = JobFamily("alpha", "train")
"""The family of the jobs that the builders make."""


def speed(chip: str, per_s: float | None, *, is_set: bool = False, family: JobFamily = BERT) -> Speed:
    return Speed(family, chip, per_s, is_set)


def waiting(*jobs: Job, limit: int, nodes: int = 1) -> SchedulerState:
    return make_state(
        *(make_node(f"n{number}", devices={"h100": 8, "t4": 8}) for number in range(1, nodes + 1)),
        jobs=jobs,
        chips=CHIPS,
        quotas=(QueueQuota("alpha", COMPUTE, limit=limit),),
    )


def tell(state: SchedulerState, *speeds: Speed) -> None:
    state.apply(as_change(SpeedsChanged(speeds)))


def placed(state: SchedulerState, passes: Passes | None = None) -> list[Placed]:
    return [one for one in (passes or Passes()).decide(state, NOON) if isinstance(one, Placed)]


def held(state: SchedulerState, queue: str = "alpha") -> int:
    return state.ledger.uses.held_by(queue).get(COMPUTE, 0)


def test_without_anything_measured_a_device_counts_as_the_catalogue_says() -> None:
    job = make_job(workers=2)
    (one,) = placed(waiting(job, limit=2_000))
    assert [held.compute_milli for held in one.allocations] == [1_000_000, 1_000_000]
    assert placed(waiting(job, limit=1_999)) == []


def test_a_family_that_makes_more_of_a_chip_type_is_charged_more_for_it() -> None:
    job = make_job(chips="t4", workers=2)
    state = waiting(job, limit=400)
    tell(state, speed("h100", 500.0), speed("t4", 100.0))
    (one,) = placed(state)
    assert [held.compute_milli for held in one.allocations] == [200_000, 200_000]
    state = waiting(job, limit=399)
    tell(state, speed("h100", 500.0), speed("t4", 100.0))
    assert placed(state) == []


def test_other_families_and_other_tenants_are_charged_as_before() -> None:
    state = waiting(make_job(chips="t4"), limit=60)
    tell(state, *(speed(chip, 100.0, family=JobFamily("beta", "train")) for chip in ("h100", "t4")))
    tell(state, *(speed(chip, 100.0, family=JobFamily("alpha", "other")) for chip in ("h100", "t4")))
    assert len(placed(state)) == 1


def test_what_runs_is_charged_as_it_was_placed_whatever_is_learnt_since() -> None:
    state = waiting(make_job(chips="t4"), make_job(2, chips="t4"), limit=60 + 200)
    place_first(state)
    assert held(state) == 60_000
    tell(state, speed("h100", 500.0), speed("t4", 100.0))
    state.apply(as_change(ChipDefined(replace(CHIPS[1], dense_bf16_tflops=65.0))))
    assert held(state) == 60_000
    place_first(state, number=2_000_000)
    assert held(state) == 260_000


def test_who_waits_is_looked_at_anew_once_its_family_is_charged_less() -> None:
    job, passes = make_job(chips="t4"), Passes()
    state = waiting(job, limit=59)
    assert placed(state, passes) == []
    tell(state, speed("h100", 100.0), speed("t4", 5.0))
    assert [one.group for one in placed(state, passes)] == [make_group(job).id]


def test_the_reason_says_what_was_measured() -> None:
    job = make_job(chips=AnyOf(("t4", "h100")))
    state = waiting(job, limit=59)
    tell(state, speed("h100", 500.0), speed("t4", 100.0))
    reasons = [one for one in explain(state, make_group(job).id, NOON).reasons if isinstance(one, QuotaExceeded)]
    assert {one.asked for one in reasons} == {200, 1_000}
    assert {one.measured for one in reasons} == {(("h100", 1_000), ("t4", 200))}
    tell(state, speed("h100", None))
    reasons = [one for one in explain(state, make_group(job).id, NOON).reasons if isinstance(one, QuotaExceeded)]
    assert {(one.asked, one.measured) for one in reasons} == {(60, ()), (1_000, ())}


def test_a_state_that_was_read_anew_is_the_one_that_followed() -> None:
    one, other = waiting(make_job(), limit=5), waiting(make_job(), limit=5)
    assert one.digest() == other.digest()
    tell(one, speed("h100", 500.0), speed("t4", 100.0))
    assert one.digest() != other.digest()
    tell(other, speed("t4", 7.0))
    tell(other, speed("t4", 100.0), speed("h100", 500.0))
    assert one.digest() == other.digest()
    tell(one, speed("h100", None), speed("t4", None))
    assert one.digest() == waiting(make_job(), limit=5).digest()


def test_speeds_say_whom_they_concern_and_noise_concerns_nobody() -> None:
    speeds = Speeds()
    assert speeds.value(CHIPS)
    assert not speeds.value(CHIPS)
    assert speeds.follow([speed("h100", 510.0)]) == set()
    assert speeds.follow([speed("t4", 102.0)]) == {BERT}
    assert speeds.follow([speed("t4", 102.0)]) == set()
    assert speeds.rates_of(make_job()) == {"h100": 1_000, "t4": 200}
    assert speeds.rates_of(make_job(tenant="beta")) == {"h100": 1_000, "t4": 60}
    assert speeds.value([replace(CHIPS[0], dense_bf16_tflops=2_000.0), CHIPS[1]])
    assert dict(speeds.own(BERT)) == {"h100": 2_000, "t4": 240}
    assert speeds.follow([speed("h100", None), speed("t4", None)]) == {BERT}
    assert list(speeds.content()) == []


def test_what_one_family_is_charged_lets_nobody_else_be_looked_at_again() -> None:
    other = make_job(2, chips="t4")
    other = replace(other, spec=replace(other.spec, family="other"))
    state, passes = waiting(make_job(chips="t4"), other, limit=10), Passes()
    assert placed(state, passes) == []
    asked, request = passes.asked, state.request(other.id)
    tell(state, speed("h100", 500.0), speed("t4", 100.0))
    assert placed(state, passes) == []
    assert passes.asked - asked <= 1
    assert state.request(other.id) is request


def test_who_comes_back_from_an_attempt_asks_by_what_is_known_by_then() -> None:
    job = make_job(chips="t4")
    state = waiting(job, limit=1_000)
    place_first(state)
    assert dict(state.request(job.id).options[0].charge_milli)[COMPUTE] == 60_000
    tell(state, speed("h100", 500.0), speed("t4", 100.0))
    assert dict(state.request(job.id).options[0].charge_milli)[COMPUTE] == 200_000
