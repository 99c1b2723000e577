"""What was planned before: the same question has the same answer, and one that is nearly the same a place to begin."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from scheduler.core.mixing.asked.problem import Problem

MOST_KNOWN = 256
"""So many answers are kept, those that were asked for last."""
Answer = TypeVar("Answer")


def key_of(problem: Problem) -> Hashable:
    """Return what an answer depends on, whatever the order of pools: training, pools, links, profiles, constraints."""
    return (
        problem.training,
        frozenset(problem.pools),
        frozenset(problem.links.items()),
        problem.profiles.version,
        frozenset(problem.profiles.layers.items()),
        problem.constraints,
        problem.runtime,
    )


class KnownPlans(Generic[Answer]):
    """Answers by their questions. Not safe to use from several threads at once."""

    def __init__(self, find: Callable[[Problem, Answer | None], Answer], most: int = MOST_KNOWN) -> None:
        """`find` answers a question; it is given the latest answer for the same training, where there is one."""
        self._find = find
        self._most = most
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._latest: OrderedDict[Hashable, Answer] = OrderedDict()

    def ask(self, problem: Problem) -> Answer:
        """Return the answer to a question, found now unless it is known. Raises what `find` does; that is not kept."""
        key = key_of(problem)
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        found = self._find(problem, self._latest.get(problem.training))
        self.keep(problem, found)
        self._keep(self._latest, problem.training, found)
        return found

    def __contains__(self, problem: Problem) -> bool:
        """Say whether the answer is known, also where it is None."""
        return key_of(problem) in self._answers

    def known(self, problem: Problem) -> Answer | None:
        """Return the answer where it is known."""
        return self._answers.get(key_of(problem))

    def keep(self, problem: Problem, answer: Answer) -> None:
        """Know an answer that was found elsewhere."""
        self._keep(self._answers, key_of(problem), answer)

    def _keep(self, answers: OrderedDict[Hashable, Answer], key: Hashable, found: Answer) -> None:
        answers[key] = found
        answers.move_to_end(key)
        while len(answers) > self._most:
            answers.popitem(last=False)
