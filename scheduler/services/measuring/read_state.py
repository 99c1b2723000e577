"""How things stand, for whoever looks: from the state in memory, without a look at the database, jobs or nodes."""

from collections.abc import Callable, Sequence

from scheduler.ports.clock import Clock
from scheduler.ports.cluster import ClusterPort
from scheduler.ports.telling.telemetry import HeldReading, LeaderReadings, LoopReading, Readings, WaitingReading
from scheduler.services.follow_changes import FollowedState


class StateReader:
    """Reads the figures of one process."""

    def __init__(
        self,
        followed: FollowedState,
        clock: Clock,
        clusters: Sequence[ClusterPort],
        *,
        epoch: int | None,
        loops: Callable[[], Sequence[LoopReading]],
    ) -> None:
        """`epoch` is that of the lead, None where this process only follows: then it does not tell of the state."""
        self._followed = followed
        self._clock = clock
        self._clusters = clusters
        self._epoch = epoch
        self._loops = loops

    def read(self) -> Readings:
        """Return how things stand; where this process leads, it waits for a decision cycle that is under way."""
        leader = None if self._epoch is None else self._read_leader(self._epoch)
        lags = ((cluster.name, cluster.lag_s()) for cluster in self._clusters)
        return Readings(
            change=self._followed.change,
            age_s=self._followed.age_s,
            leader=leader,
            loops=self._loops(),
            watch_lag_s=[(name, lag_s) for name, lag_s in lags if lag_s is not None],
        )

    def _read_leader(self, epoch: int) -> LeaderReadings:
        with self._followed.hold() as state:
            queues, capacity, held = state.tally.queues(), state.tally.capacity(), state.ledger.all_held()
            live = len(state.live)
        now = self._clock.now()
        return LeaderReadings(
            epoch=epoch,
            waiting=[WaitingReading(one, max(0.0, (now - one.oldest_since).total_seconds())) for one in queues],
            held=[HeldReading(*one) for one in held],
            capacity=capacity,
            live_attempts=live,
        )
