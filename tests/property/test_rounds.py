"""What holds of rounds whatever comes."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.preempting.rules import Rules
from scheduler.core.model.decision import Placed
from scheduler.core.model.group import State
from scheduler.core.model.job import AnyOf, Job
from scheduler.core.model.measuring.throughput import JobFamily, Speed
from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.policy import RoundByRound
from scheduler.core.queueing.rounds.allocating import Goal, Runner, allocate
from scheduler.core.queueing.rounds.assigning import Standing, assign
from tests.builders import strategies as some
from tests.builders.core import make_job, make_node, make_shape
from tests.builders.preempting import Contended

CHIPS = ("a", "b", "c")
seeds = st.integers(0, 2**32)
goals = st.sampled_from(Goal)


def drawn(random: Random) -> tuple[list[Runner], dict[str, float]]:
    runners = []
    for number in range(random.randint(1, 12)):
        chips = sorted(random.sample(CHIPS, random.randint(1, 3)))
        speeds = tuple((chip, random.uniform(0.1, 10.0)) for chip in chips)
        devices, remaining_s = random.choice((0.5, 1, 2, 4)), random.uniform(1, 1e5)
        late = random.random() < 0.1
        runners.append(Runner(f"j{number:02}", devices, speeds, remaining_s, random.uniform(0.1, 5), late))
    return runners, {chip: float(random.randint(1, 6)) for chip in CHIPS}


@some.fixed(150)
@given(seeds, goals)
def test_nothing_is_given_away_twice_whatever_the_order_in_which_jobs_are_named(seed: int, goal: Goal) -> None:
    random = Random(seed)
    runners, capacity = drawn(random)
    found = allocate(runners, capacity, goal)
    standings = {
        one.job: Standing({chip: random.random() for chip, _ in one.speeds}, random.choice((None, one.speeds[0][0])))
        for one in runners
    }
    turns = assign(runners, capacity, found, standings)
    by_name = {one.job: one for one in runners}
    for chip, devices in capacity.items():
        assert sum(parts.get(chip, 0.0) * by_name[job].devices for job, parts in found.items()) <= devices * 1.0001
        assert sum(by_name[job].devices for job, on in turns.items() if on == chip) <= devices
    assert all(sum(parts.values()) <= 1.0001 for parts in found.values())
    assert all(chip in dict(by_name[job].speeds) for job, chip in turns.items())
    shuffled = random.sample(runners, len(runners))
    assert allocate(shuffled, capacity, goal) == found
    assert assign(shuffled, capacity, found, standings) == turns


@some.fixed(150)
@given(seeds)
def test_for_fairness_whoever_can_run_has_something(seed: int) -> None:
    runners, capacity = drawn(Random(seed))
    able = {one.job for one in runners if any(one.devices <= capacity[chip] for chip, _ in one.speeds)}
    assert {job for job, parts in allocate(runners, capacity, Goal.FAIRNESS).items() if parts} == able


def some_job(number: int, random: Random) -> Job:
    chips = AnyOf(tuple(random.sample(("h100", "t4"), random.choice((1, 2, 2)))))
    return make_job(number, chips, shape=make_shape(random.choice((1, 1, 2))), tenant=random.choice(("alpha", "beta")))


@some.fixed(6)
@given(seeds, goals)
def test_every_job_has_its_turn_and_the_same_history_gives_the_same_turns(seed: int, goal: Goal) -> None:
    assert _history(seed, goal) == _history(seed, goal)


def _history(seed: int, goal: Goal) -> list[str]:
    """Let jobs contend, each of which is done once it ran in three rounds; return what was placed, in order."""
    random = Random(seed)
    nodes = [make_node("one", {"h100": 2}), make_node("two", {"t4": 2})]
    contended = Contended(*nodes, ordering=Ordering(RoundByRound(goal=goal)), rules=Rules())
    for chip, speed in (("h100", random.uniform(1, 9)), ("t4", 1.0)):
        contended.state.speeds.follow([Speed(JobFamily("alpha", "train"), chip, speed)])
    jobs = [some_job(number, random) for number in range(1, 9)]
    contended.submit(*jobs)
    ran = dict.fromkeys((contended.group(job).id for job in jobs), 0)
    history: list[str] = []
    for _ in range(80):
        contended.wait(360)
        for _ in range(3):
            history += [
                f"{one.attempt} {one.allocations[0].node}" for one in contended.decide() if isinstance(one, Placed)
            ]
            contended.leave()
            contended.start()
        for group in contended.in_state(State.RUNNING):
            ran[group] += 1
            if ran[group] == 3:
                contended.finish(group)
    assert all(rounds == 3 for rounds in ran.values()), ran
    return history
