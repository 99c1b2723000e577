"""The same question is answered from memory; one about the same training begins from the answer before."""

from dataclasses import replace

from scheduler.core.mixing.asked.pools import ChipPool, Link
from scheduler.core.mixing.asked.problem import Constraints, Problem
from scheduler.core.mixing.known_plans import KnownPlans, key_of
from tests.builders.plans import a_training


def a_pool(name: str, nodes: int = 2) -> ChipPool:
    return ChipPool(name, name, "NVIDIA", nodes, 8, 80 << 30, 600e12, 300e9, 25e9)


ONE, OTHER = a_pool("one"), a_pool("other")
PROBLEM = Problem(a_training(), (ONE, OTHER), {frozenset(("one", "other")): Link(1e9)})


class Finder:
    """Answers with the number of the question, and notes what it was given to begin from."""

    def __init__(self) -> None:
        self.given: list[int | None] = []

    def __call__(self, _: Problem, known: int | None) -> int:
        self.given.append(known)
        return len(self.given)


def test_the_same_question_is_answered_from_memory() -> None:
    finder = Finder()
    plans = KnownPlans(finder)
    assert plans.known(PROBLEM) is None
    assert [plans.ask(PROBLEM), plans.ask(PROBLEM)] == [1, 1]
    assert plans.ask(replace(PROBLEM, pools=(OTHER, ONE))) == 1
    assert plans.known(PROBLEM) == 1
    assert len(finder.given) == 1


def test_all_that_an_answer_depends_on_makes_another_question() -> None:
    others = [
        replace(PROBLEM, training=a_training(global_batch=64)),
        replace(PROBLEM, pools=(ONE, a_pool("other", nodes=3))),
        replace(PROBLEM, links={frozenset(("one", "other")): Link(2e9)}),
        replace(PROBLEM, constraints=Constraints(most_chips=8)),
        replace(PROBLEM, runtime=replace(PROBLEM.runtime, blocking_share=0.4)),
        replace(PROBLEM, profiles=replace(PROBLEM.profiles, version=1)),
    ]
    assert len({key_of(PROBLEM), *(key_of(one) for one in others)}) == len(others) + 1


def test_a_changed_pool_begins_from_the_plan_before() -> None:
    finder = Finder()
    plans = KnownPlans(finder)
    plans.ask(PROBLEM)
    plans.ask(replace(PROBLEM, pools=(ONE,)))
    plans.ask(replace(PROBLEM, training=a_training(global_batch=64)))
    assert finder.given == [None, 1, None]


def test_what_was_not_asked_for_longest_is_forgotten() -> None:
    finder = Finder()
    plans = KnownPlans(finder, most=2)
    first, second, third = (replace(PROBLEM, pools=(a_pool("one", nodes),)) for nodes in (1, 2, 3))
    for problem in (first, second, first, third):
        plans.ask(problem)
    assert (plans.known(first), plans.known(second), plans.known(third)) == (1, None, 3)


def test_what_was_made_ready_elsewhere_is_known() -> None:
    finder = Finder()
    plans = KnownPlans(finder)
    plans.keep(PROBLEM, 7)
    assert plans.ask(PROBLEM) == 7
    assert finder.given == []


def test_that_there_is_no_answer_is_known_too() -> None:
    asked: list[Problem] = []

    def find(problem: Problem, _near: None) -> None:
        asked.append(problem)

    plans: KnownPlans[None] = KnownPlans(find)
    assert PROBLEM not in plans
    plans.ask(PROBLEM)
    plans.ask(PROBLEM)
    assert PROBLEM in plans
    assert len(asked) == 1
