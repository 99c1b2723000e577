"""What the pods say of our workers, kept up to date by the watch, and what becomes of those that time runs out for."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from scheduler.adapters.kubernetes.driving.failures import Ending
from scheduler.adapters.kubernetes.driving.member import ALIVE, Member, alive_record, ended_record, looks
from scheduler.adapters.kubernetes.driving.node_health import NodeHealth
from scheduler.adapters.kubernetes.driving.standings import Standings
from scheduler.adapters.kubernetes.driving.verdicts import Verdicts
from scheduler.adapters.kubernetes.identity import Identity
from scheduler.adapters.kubernetes.views import PodView
from scheduler.core.model.attempt import SeenWorker, WorkerPhase, WorkerRecord
from scheduler.core.model.identifiers import AttemptId, WorkerKey
from scheduler.ports.clock import Clock

MOST_ENDED = 50_000
"""So many ended workers without a pod are remembered; the oldest are dropped."""


class Members:
    """All workers of this Medley on one cluster. For any thread."""

    def __init__(
        self,
        identity: Identity,
        standings: Standings,
        verdicts: Verdicts,
        node_health: NodeHealth,
        *,
        clock: Clock,
        on_news: Callable[[], None],
    ) -> None:
        """`on_news` is called by whoever brought news, under no lock."""
        self._identity = identity
        self._standings = standings
        self._verdicts = verdicts
        self._node_health = node_health
        self._clock = clock
        self._on_news = on_news
        self._lock = threading.RLock()
        self._attempts: dict[AttemptId, dict[int, Member]] = {}
        self._gone: OrderedDict[WorkerKey, None] = OrderedDict()

    def changed(self, before: PodView | None, after: PodView | None) -> bool:
        """Take in what the watch saw; pods that are not ours are nobody's business here. Says whether it was news."""
        if after is not None and not self._is_ours(after):
            after = None  # one that was ours and denies it now is as good as gone
        pod = after or before
        if pod is None or pod.ownership is None or not self._is_ours(pod):
            return False
        key = WorkerKey(pod.ownership.attempt, pod.ownership.rank)
        with self._lock:
            member = self._attempts.get(key.attempt, {}).get(key.rank)
            if after is None:
                if member is not None and member.pod is not None and member.pod.uid == pod.uid:
                    self._let_go(member, member.pod)
            elif member is None:
                member = Member(key, pod.ownership.generation, pod.uid, pod)
                self._attempts.setdefault(key.attempt, {})[key.rank] = member
                self._take(member, pod)
            else:
                self._renew(member, after)
        is_news = after is None or before is None or looks(before) != looks(after)
        if is_news:
            self._on_news()
        return is_news

    def confirmed(self, pod: PodView, *, asked_s: float) -> None:
        """Take in that the API was asked for a pod at a moment of the monotonic clock, and that it is there."""
        if pod.ownership is None:
            return
        with self._lock:
            member = self._attempts.get(pod.ownership.attempt, {}).get(pod.ownership.rank)
            if member is not None and member.pod is not None and member.pod.uid == pod.uid:
                member.confirmed_s = asked_s

    def fail(self, key: WorkerKey, generation: int, ending: Ending) -> None:
        """Write down the end of a worker that will never run; without effect on one whose end is known."""
        with self._lock:
            ranks = self._attempts.setdefault(key.attempt, {})
            member = ranks.setdefault(key.rank, Member(key, generation, "", None))
            if member.ended is None:
                member.ended = ended_record(key.rank, ending, member.pod)
                if member.pod is None:
                    self._remember(key)
        self._on_news()

    def seen(self) -> list[SeenWorker]:
        """Return every worker that may run or has ended, and was not forgotten, by key.

        One that still waits behind its gate was not started yet, and is seen only while it is being removed.
        """
        with self._lock:
            return [
                SeenWorker(member.key, member.generation, record)
                for attempt, ranks in sorted(self._attempts.items())
                if not self._standings.is_forgotten(attempt)
                for _, member in sorted(ranks.items())
                if (record := self._look(member)) is not None
            ]

    def overdue(self) -> list[AttemptId]:
        """Return the attempts that were asked to stop and have pods that nobody asked to go."""
        with self._lock:
            return [
                attempt
                for attempt, ranks in self._attempts.items()
                if self._standings.is_barred(attempt) and any(member.is_to_stop for member in ranks.values())
            ]

    def replaced(self) -> list[PodView]:
        """Return pods that took the name of a worker of ours which had its life already."""
        with self._lock:
            members = [member for ranks in self._attempts.values() for member in ranks.values()]
            return [
                member.pod
                for member in members
                if member.pod is not None and member.is_replaced and member.pod.deleted_at is None
            ]

    def pods(self, attempt: AttemptId) -> list[PodView]:
        """Return the pods that an attempt has now, by rank."""
        with self._lock:
            ranks = sorted(self._attempts.get(attempt, {}).items())
            return [member.pod for _, member in ranks if member.pod is not None]

    def keys(self, attempt: AttemptId) -> list[WorkerKey]:
        """Return the workers of an attempt that were ever let through their gates, by rank."""
        with self._lock:
            return [member.key for _, member in sorted(self._attempts.get(attempt, {}).items()) if member.has_lived]

    def pod(self, key: WorkerKey) -> PodView | None:
        """Return a worker's pod, None where it has none now."""
        with self._lock:
            member = self._attempts.get(key.attempt, {}).get(key.rank)
            return None if member is None else member.pod

    def worker_of(self, pod_key: str, uid: str) -> WorkerKey | None:
        """Return whose pod has or had this `namespace/name` and UID, None where it is none of ours."""
        attempt, _, rank = pod_key.partition("/")[2].rpartition("-r")
        if not rank.isdecimal():
            return None
        with self._lock:
            member = self._attempts.get(attempt, {}).get(int(rank))
            return member.key if member is not None and uid == member.uid else None

    def with_pods(self) -> set[AttemptId]:
        """Return the attempts that have pods now."""
        with self._lock:
            return {
                attempt
                for attempt, ranks in self._attempts.items()
                if any(member.pod is not None for member in ranks.values())
            }

    def has_lived(self, attempt: AttemptId) -> bool:
        """Say whether any worker of an attempt was ever let through its gate."""
        with self._lock:
            return any(member.has_lived for member in self._attempts.get(attempt, {}).values())

    def ended_ranks(self, attempt: AttemptId) -> set[int]:
        """Return the ranks of an attempt whose end is known."""
        with self._lock:
            return {rank for rank, member in self._attempts.get(attempt, {}).items() if member.ended is not None}

    def has_workers(self, attempt: AttemptId) -> bool:
        """Say whether `seen` shows any worker of an attempt."""
        with self._lock:
            members = self._attempts.get(attempt, {}).values()
            return not self._standings.is_forgotten(attempt) and any(self._look(one) is not None for one in members)

    def is_alive(self, attempt: AttemptId) -> bool:
        """Say whether any worker of an attempt runs or may still run."""
        with self._lock:
            records = [self._look(member) for member in self._attempts.get(attempt, {}).values()]
            return any(record is not None and record.phase in ALIVE for record in records)

    def drop(self, attempt: AttemptId) -> None:
        """Let go of what is only remembered of an attempt; its pods stay known until they are gone."""
        with self._lock:
            ranks = self._attempts.get(attempt, {})
            for rank in [rank for rank, member in ranks.items() if member.pod is None]:
                self._gone.pop(ranks[rank].key, None)
                del ranks[rank]
            if not ranks:
                self._attempts.pop(attempt, None)

    def _is_ours(self, pod: PodView) -> bool:
        return pod.ownership is not None and self._identity.is_our_pod(pod)

    def _renew(self, member: Member, pod: PodView) -> None:
        if member.pod is not None and member.pod.uid != pod.uid:
            self._let_go(member, member.pod)
            ranks = self._attempts.setdefault(member.key.attempt, {})
            if ranks.get(member.key.rank) is not member:  # it had never lived: the new one is as good
                member = Member(member.key, member.generation, pod.uid, pod)
                ranks[member.key.rank] = member
        self._gone.pop(member.key, None)
        self._take(member, pod)

    def _take(self, member: Member, pod: PodView) -> None:
        was_running = member.pod is not None and member.pod is not pod and _is_running(member.pod)
        member.take(pod, now_s=self._clock.monotonic_s())
        if pod.node and _is_running(pod) and not was_running:
            self._node_health.forgive(pod.node)

    def _let_go(self, member: Member, pod: PodView) -> None:
        """Settle the end of a worker whose pod is gone."""
        if member.ended is None and pod.is_gated:
            # It never started, and what never started has no end.
            ranks = self._attempts[member.key.attempt]
            del ranks[member.key.rank]
            if not ranks:
                del self._attempts[member.key.attempt]
            return
        if member.ended is None:
            self._settle(
                member, pod, self._verdicts.ending_of_gone(pod, is_barred=self._standings.is_barred(member.key.attempt))
            )
        elif member.ended.phase is WorkerPhase.PENDING:
            member.ended = replace(member.ended, phase=WorkerPhase.LOST, ended_at=self._clock.now())
        member.pod = None
        if self._standings.is_forgotten(member.key.attempt):
            self.drop(member.key.attempt)
        else:
            self._remember(member.key)

    def _remember(self, key: WorkerKey) -> None:
        self._gone[key] = None
        while len(self._gone) > MOST_ENDED:
            oldest, _ = self._gone.popitem(last=False)
            ranks = self._attempts.get(oldest.attempt, {})
            ranks.pop(oldest.rank, None)
            if not ranks:
                self._attempts.pop(oldest.attempt, None)

    def _settle(self, member: Member, pod: PodView, ending: Ending) -> None:
        record = ended_record(member.key.rank, ending, pod)
        if record.phase is not WorkerPhase.PENDING and record.ended_at is None:
            record = replace(record, ended_at=max(self._clock.now(), record.started_at or self._clock.now()))
        member.ended = record
        node = pod.node or (pod.ownership.released_to if pod.ownership is not None else "")
        if ending.strikes_node and node:
            self._node_health.strike(node, ending.detail or str(ending.end))

    def _look(self, member: Member) -> WorkerRecord | None:
        """Return what is true of a worker now; None where it was never started and is not asked to go."""
        pod = member.pod
        if pod is None:
            return member.ended
        is_barred = self._standings.is_barred(member.key.attempt)
        if member.ended is None and (ending := self._verdicts.verdict(member, pod, is_barred=is_barred)) is not None:
            self._settle(member, pod, ending)
        if member.ended is None:
            return None if pod.is_gated and not is_barred else alive_record(member.key.rank, pod)
        if member.is_replaced and is_barred and not pod.is_over and not self._verdicts.is_abandoned(member, pod):
            return alive_record(member.key.rank, pod)  # whoever it is, it holds the devices until it is gone
        return member.ended


def _is_running(pod: PodView) -> bool:
    return pod.container is not None and pod.container.running_since is not None
