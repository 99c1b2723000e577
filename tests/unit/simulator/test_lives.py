from scheduler.simulator.lives import Fate, Lives
from scheduler.simulator.workloads.arrival import Life
from tests.builders.core import make_allocation

ON_FAST = (make_allocation(chip="fast"),)


def fate_of(life: Life, *, number: int = 1, chips: tuple[str, ...] = ("fast",), seed: int = 1) -> Fate:
    lives = Lives(seed)
    lives.expect("job", life)
    return lives.fate("job", number, [make_allocation(chip=chip) for chip in chips])


def test_a_job_runs_as_long_as_its_work_takes_after_it_has_started_up() -> None:
    assert fate_of(Life(100.2, start_up_s=20)) == Fate(20, 121, has_failed=False)


def test_a_gang_is_as_fast_as_its_slowest_worker() -> None:
    life = Life(100, speeds=(("slow", 0.5),))
    assert fate_of(life, chips=("fast", "slow")).ends_s == 200


def test_who_fails_does_so_before_its_work_is_done_at_another_time_in_each_attempt() -> None:
    fates = [fate_of(Life(1_000, failure_chance=1.0), number=number) for number in range(1, 20)]
    assert all(fate.has_failed and 0 < fate.ends_s <= 1_000 for fate in fates)
    assert len({fate.ends_s for fate in fates}) > 10


def test_so_many_fail_as_chance_has_it() -> None:
    failed = sum(fate_of(Life(10, failure_chance=0.3), number=number).has_failed for number in range(2_000))
    assert 540 < failed < 660


def test_another_seed_is_another_fate() -> None:
    assert len({fate_of(Life(1e6, failure_chance=1.0), seed=seed) for seed in range(5)}) == 5


def test_who_was_turned_away_is_forgotten() -> None:
    lives = Lives(1)
    lives.expect("first", Life(10))
    lives.withdraw("first")
    lives.expect("second", Life(10))
    assert lives.fate("second", 1, ON_FAST).ends_s == 10
