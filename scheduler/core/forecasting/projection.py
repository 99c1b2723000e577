"""The queue laid onto the ends of what runs: who would start when, if everybody runs as long as is expected."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from scheduler.core.forecasting.run_lengths import LONGEST_S, RANKS
from scheduler.core.forecasting.supply import Supply
from scheduler.core.model.group import State
from scheduler.core.model.sharing.queue import COMPUTE
from scheduler.core.model.waiting.estimate import UnknownStart
from scheduler.core.model.waiting.promise import Basis
from scheduler.core.queueing.dependencies import why_never, why_not_yet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from scheduler.core.deciding.lacks import PoolName
    from scheduler.core.deciding.parts.live import LiveAttempt
    from scheduler.core.forecasting.scene import KeptRoom, Scene, Waiter
    from scheduler.core.model.identifiers import AttemptId, GroupId, JobId
    from scheduler.core.model.job import Job
    from scheduler.core.model.sharing.queue import QueueName
    from scheduler.core.placement.request import OptionRequest
    from scheduler.core.queueing.quota import Rule

SETTLED_S = 5.0
"""Who has waited so long was looked at, and found no place: what the numbers say is free now does not do."""
FREE_NOW = -1
"""The rank of a start for which nothing has to end."""
PROMISED = 99
"""The rank of a start on room that is kept."""


class Start(NamedTuple):
    """When a gang would start."""

    at_s: float
    """Seconds from the moment of the forecast."""
    rank: int
    """How firm that is: FREE_NOW, PROMISED, or as of `RunLength`."""


class Need(NamedTuple):
    """What a gang takes of one supply."""

    supply: Supply
    amount: int
    scattered: int = 0
    """So much of what is free now lies in pieces."""
    is_settled: bool = False
    """What is free of it now does not do."""
    withheld: int = 0
    """So much of what is free is others' alone, and stays so."""

    def wait(self) -> None:
        """Let time pass until there is enough."""
        self.supply.wait_for(self.amount + self.withheld, self.scattered, at_least_one=self.is_settled)


Capped = tuple["QueueName", str | None]
"""A queue, and the user of whom only so many run there; None: of all."""
Way = list[Need]
"""All that has to be free together: devices of one option in one cluster, quotas and turns."""


class Projection:
    """The supplies of a scene as time passes, and what those take of them who start."""

    def __init__(self, scene: Scene, *, at_most: bool) -> None:
        """`at_most`: everybody runs as long as is to be expected at most; else as long as half of those like them."""
        self._scene = scene
        self._at_most = at_most
        self._devices = {pool: Supply(milli) for pool, milli in scene.free.items()}
        self._quotas: dict[tuple[str, str], Supply] = {}
        self._arrays: dict[JobId, Supply] = {}
        self._capped: dict[Capped, Supply] = {}
        self._running = Counter(key for live in scene.live for key, _ in self._caps(live.job))
        self._ends_s: dict[AttemptId, float] = {}
        self._promised: dict[GroupId, Start] = {}
        self._needs: dict[GroupId, Mapping[PoolName, int]] = {}
        spoken_for: dict[AttemptId, dict[PoolName, int]] = {}
        for each in scene.kept:
            for name, gives in each.awaited.items():
                of = spoken_for.setdefault(name, {})
                for pool, milli in gives.items():
                    of[pool] = of.get(pool, 0) + milli
        for live in scene.live:
            self._run_on(live, spoken_for.get(live.attempt, {}))
        endless = {each.kept.group for each in scene.kept if each.kept.ends is None}
        waiting = {one.group.id: one.job for one in scene.waiters if one.group.id in endless} if endless else {}
        for each in scene.kept:
            self._keep(each, waiting.get(each.kept.group))

    def start(self, waiter: Waiter, *, is_new: bool = False) -> Start | UnknownStart:
        """Return when a gang would start after all that were asked about before, and let it.

        `is_new`: it has not been looked at yet, so that what is free now may do.
        """
        if (promised := self._promised.get(waiter.group.id)) is not None:
            return self._within_quota(waiter, promised)
        job, group = waiter.job, waiter.group
        if job.spec.after and not group.attempts and (why_never(job) or why_not_yet(job, self._scene.arrays)):
            return UnknownStart.AFTER_OTHERS
        is_settled = not is_new and (self._scene.now - job.submitted_at).total_seconds() >= SETTLED_S
        why, ways = self._ways(waiter, is_settled=is_settled)
        if not ways:
            return why
        early_s = 0.0 if group.not_before is None else self._seconds(group.not_before)
        length = self._scene.length(job)
        run_s = length.most_s if self._at_most else length.middle_s
        for needs in ways if not early_s else ():
            if (found := _in_a_gap(needs, run_s)) is not None:
                return found
        needs = ways[0] if len(ways) == 1 else min(ways, key=_about_s)
        for need in needs:
            need.wait()
        at_s = max(early_s, *(need.supply.at_s for need in needs))
        rank = max(need.supply.rank for need in needs)
        for need in needs:
            until_s = None if job.spec.serves else at_s + run_s
            need.supply.take(need.amount, at_s, until_s, max(rank, length.rank))
        return Start(at_s, rank)

    def _within_quota(self, waiter: Waiter, promised: Start) -> Start | UnknownStart:
        """Return when a gang starts that has room kept, whose quotas may need more to end than the room does."""
        kept, job = self._needs[waiter.group.id], waiter.job
        takes = self._scene.takes(waiter.request)
        option = next((one for one, rows in takes if {pool: milli for pool, milli, _ in rows} == kept), None)
        needs = [] if option is None else self._quota_needs(job, option)
        if any(need.amount > need.supply.reach for need in needs):
            return UnknownStart.QUOTA
        length, start = self._scene.length(job), promised
        run_s = length.most_s if self._at_most else length.middle_s
        for need in needs:
            need.wait()
            if need.supply.at_s > start.at_s:
                start = Start(need.supply.at_s, need.supply.rank)
        for need in needs:
            until_s = None if job.spec.serves else start.at_s + run_s
            need.supply.take(need.amount, start.at_s, until_s, length.rank)
        return start

    def _ways(self, waiter: Waiter, *, is_settled: bool) -> tuple[UnknownStart, list[Way]]:
        """Return the ways in which a gang could ever start, and why there are none."""
        why, ways = UnknownStart.NO_ROOM, list[Way]()
        counted = [Need(supply, 1) for supply in self._beside(waiter.job)]
        for option, takes in self._scene.takes(waiter.request):
            needs = [*self._quota_needs(waiter.job, option), *counted]
            if any(need.amount > need.supply.reach for need in needs):
                why = UnknownStart.QUOTA
                continue
            devices: list[Need] = []
            for pool, milli, no_use in takes:
                supply, (of_others, withheld) = self._devices[pool], self._scene.beyond(pool, waiter.job.tenant)
                if milli + of_others > supply.reach:
                    break
                devices.append(Need(supply, milli, max(0, no_use - withheld), is_settled, withheld))
            else:
                ways.append([*devices, *needs])
        return why, ways

    def _quota_needs(self, job: Job, option: OptionRequest) -> list[Need]:
        needs: list[Need] = []
        for rule in self._scene.book.rules_on_path(job.queue):
            amount = sum(milli * rule.weights.get(chip, 0) for chip, milli in option.charge_milli)
            if amount and (supply := self._quota(rule)) is not None:
                needs.append(Need(supply, amount))
        return needs

    def _quota(self, rule: Rule) -> Supply | None:
        key = (rule.quota.queue, rule.quota.resource)
        supply = self._quotas.get(key)
        if supply is None and rule.most_milli is not None:
            supply = self._quotas[key] = Supply(rule.most_milli - self._scene.used.get(key, 0))
        return supply

    def _turns(self, job: Job) -> Supply | None:
        member = job.spec.limited_array
        if member is None or member.most_at_once is None:
            return None
        supply = self._arrays.get(member.array)
        if supply is None:
            free = member.most_at_once - self._scene.holding.get(member.array, 0)
            supply = self._arrays[member.array] = Supply(free)
        return supply

    def _caps(self, job: Job) -> Iterator[tuple[Capped, int]]:
        """Yield which caps on what runs a job counts for, with how many may run."""
        caps_of = self._scene.caps
        for name in self._scene.book.path(job.queue) if caps_of else ():
            if (caps := caps_of.get(name)) is not None:
                if caps.most_running is not None:
                    yield (name, None), caps.most_running
                if caps.most_running_per_user is not None:
                    yield (name, job.submitted_by), caps.most_running_per_user

    def _beside(self, job: Job) -> Iterator[Supply]:
        """Yield how many more may run beside a job: of its array, its queues, and its user there."""
        if (turns := self._turns(job)) is not None:
            yield turns
        for key, most in self._caps(job):
            if key not in self._capped:
                self._capped[key] = Supply(most - self._running[key])
            yield self._capped[key]

    def _run_on(self, live: LiveAttempt, spoken_for: dict[PoolName, int]) -> None:
        """Let what an attempt holds come back when it ends, but for what that is awaited by somebody."""
        job, scene = live.job, self._scene
        if job.spec.serves and live.group.state is not State.STOPPING:
            return
        held: dict[PoolName, int] = {}
        for allocation in live.allocations:
            if allocation.chip is not None and allocation.node not in scene.closed:
                pool: PoolName = (allocation.node.partition("/")[0], allocation.chip)
                held[pool] = held.get(pool, 0) + allocation.devices_milli
        since_s = max(0.0, -self._seconds(live.since))
        if live.group.state is State.STOPPING:
            end_s, rank = max(0.0, job.spec.grace_s - since_s), RANKS[Basis.LIMIT]
        else:
            ran_s = since_s if live.group.state is State.RUNNING else 0.0
            length = scene.length_of(live, ran_s)
            end_s, rank = (length.most_s if self._at_most else length.middle_s) - ran_s, length.rank
        self._ends_s[live.attempt] = end_s
        for pool, milli in held.items():
            if pool in self._devices and (left := milli - spoken_for.get(pool, 0)) > 0:
                self._devices[pool].give_back(left, end_s, rank, runs_now=True)
        for rule in scene.book.rules_on_path(job.queue):
            amount = sum(milli * rule.weights.get(chip, 0) for (_, chip), milli in held.items() if chip is not None)
            amount += rule.weights.get(COMPUTE, 0) * sum(one.compute_milli for one in live.allocations)
            if amount and (supply := self._quota(rule)) is not None:
                supply.give_back(amount, end_s, rank)
        for supply in self._beside(job):
            supply.give_back(1, end_s, rank)

    def _keep(self, kept: KeptRoom, job: Job | None) -> None:
        """Let a gang start on the room that is kept for it, and give it back when it has run.

        Of one whose end the promise does not know that is guessed, as of those who start without one. A promise that
        counts on a guess is no firmer than that.
        """
        promise = kept.kept
        begins_s = max(0.0, self._seconds(promise.begins))
        awaited_s = [self._ends_s.get(name, self._seconds(end.at)) for name, end in promise.expected.items()]
        start_s = begins_s if self._at_most else min(begins_s, max([0.0, *awaited_s]))
        is_guess = any(end.basis is Basis.GUESSED for end in promise.expected.values())
        self._promised[promise.group] = Start(start_s, RANKS[Basis.GUESSED] if is_guess else PROMISED)
        self._needs[promise.group] = kept.needs
        for pool, milli in kept.now.items():
            if pool in self._devices:
                self._devices[pool].withdraw(milli)
        ends_s, rank = start_s, RANKS[Basis.LEARNT]
        if promise.ends is not None:
            ends_s = max(start_s, self._seconds(promise.ends))
        elif job is not None and not job.spec.serves:
            length = self._scene.length(job)
            ends_s, rank = start_s + (length.most_s if self._at_most else length.middle_s), length.rank
        else:
            return
        for pool, milli in kept.needs.items():
            if pool in self._devices:
                self._devices[pool].give_back(milli, ends_s, rank)

    def _seconds(self, moment: datetime) -> float:
        """Return how long a moment is from now; negative where it is over."""
        return max(-LONGEST_S, min(LONGEST_S, (moment - self._scene.now).total_seconds()))


def _in_a_gap(needs: Way, run_s: float) -> Start | None:
    """Return when a gang that needs one pool alone would fit in while somebody else gathers what it needs."""
    devices, *others = needs
    if any(other.amount > other.supply.free for other in others):
        return None
    most = devices.amount + devices.withheld + devices.scattered
    found = devices.supply.fit_in_gap(most, run_s, not_now=devices.is_settled)
    return None if found is None else Start(*found)


def _about_s(needs: Way) -> float:
    return max(need.supply.about_s(need.amount + need.withheld, need.scattered) for need in needs)
