"""The steps of Medley's loops, with their intervals."""

from collections.abc import Callable

from scheduler.loops.loop import Step
from scheduler.ports.clock import Clock
from scheduler.services.decide_once import Decider
from scheduler.services.follow_changes import FollowedState
from scheduler.services.heartbeats.watching import LOOK_INTERVAL_S, Watch
from scheduler.services.keep_lead import LeadershipLost
from scheduler.services.measuring.learn_throughput import ThroughputLearner
from scheduler.services.measuring.sample_usage import UsageSampler
from scheduler.services.measuring.score_estimates import EstimateScorer
from scheduler.services.reconcile_once import Reconciler
from scheduler.services.sync_inventory import InventorySync

LONGEST_WAIT_S = 1.0
"""Every loop looks by itself this often: a lost hint costs no more than this."""
NODES_INTERVAL_S = 10.0
"""How often nodes are recorded anew: one that was held back becomes itself again this soon after it is free."""
NODES_PAUSE_S = 0.5
"""Between two looks at a cluster's nodes: hints may come by the hundred, and comparing all nodes takes milliseconds."""
LOCK_INTERVAL_S = 2.0
REJECTED_WAIT_S = 0.05
"""After the database refused a decision the state has moved on; decide again soon, but not in a busy loop."""

SAMPLING = "sampling use"
SAMPLING_INTERVAL_S = 15.0
"""How often it is looked at what is held: what is shorter is missed or counted as this."""
LEARNING = "learning throughputs"
LEARNING_INTERVAL_S = 60.0
SCORING = "scoring estimates"
SCORING_INTERVAL_S = 30.0
"""How often what waiting gangs are told is kept, and that of those that have started is scored."""


def deciding(decider: Decider, clock: Clock) -> Step:
    """Return the step that decides, due again when the earliest back-off ends."""

    def step() -> float:
        result = decider.decide_once()
        if result.rejected:
            return REJECTED_WAIT_S
        if result.next_due is None:
            return LONGEST_WAIT_S
        return min(LONGEST_WAIT_S, max(0.0, (result.next_due - clock.now()).total_seconds()))

    return step


def following(followed: FollowedState, refresh: Callable[[], None]) -> Step:
    """Return the step that keeps a state equal to the feed; then `refresh` takes over what follows from it."""

    def step() -> float:
        followed.follow()
        refresh()
        return LONGEST_WAIT_S

    return step


def keeping_the_scheduler_lock(take: Callable[[], bool]) -> Step:
    """Return the step that takes the lock again where it was lost with its connection; `take` says whether it is held.

    Raises LeadershipLost where another scheduler holds it: that one has taken the lead, or is about to.
    """

    def step() -> float:
        if not take():
            raise LeadershipLost
        return LOCK_INTERVAL_S

    return step


def reconciling(reconciler: Reconciler, clock: Clock) -> Step:
    """Return the step that reconciles one cluster: at news at once, and at every interval whatever is known."""
    looked_at_s = -LONGEST_WAIT_S

    def step() -> float:
        nonlocal looked_at_s
        now_s = clock.monotonic_s()
        due_s = looked_at_s + LONGEST_WAIT_S
        if now_s >= due_s or reconciler.has_news():
            reconciler.reconcile_once()
            looked_at_s, due_s = now_s, now_s + LONGEST_WAIT_S
            if not reconciler.is_settled:
                return 0.0
        return max(0.0, due_s - now_s)

    return step


def watching(watch: Watch, clock: Clock) -> Step:
    """Return the step that misses what should be heard of running attempts: at every interval, whatever is hinted."""
    looked_at_s = -LOOK_INTERVAL_S

    def step() -> float:
        nonlocal looked_at_s
        now_s = clock.monotonic_s()
        if now_s >= looked_at_s + LOOK_INTERVAL_S:
            watch.look()
            looked_at_s = now_s
        return looked_at_s + LOOK_INTERVAL_S - now_s

    return step


def recording_inventory(inventory: InventorySync, clock: Clock) -> Step:
    """Return the step that records one cluster's nodes: when they changed, and at every interval whatever is known."""
    recorded_at_s = looked_at_s = -NODES_INTERVAL_S

    def step() -> float:
        nonlocal recorded_at_s, looked_at_s
        now_s = clock.monotonic_s()
        if now_s < looked_at_s + NODES_PAUSE_S:
            return looked_at_s + NODES_PAUSE_S - now_s
        if now_s >= recorded_at_s + NODES_INTERVAL_S or inventory.has_news():
            inventory.sync_once()
            recorded_at_s = now_s
        looked_at_s = now_s  # only a look that succeeded: else the pause would pass for a success
        return recorded_at_s + NODES_INTERVAL_S - now_s

    return step


def sampling(sampler: UsageSampler) -> Step:
    """Return the step that looks at what is held."""

    def step() -> float:
        sampler.sample_once()
        return SAMPLING_INTERVAL_S

    return step


def learning(learner: ThroughputLearner) -> Step:
    """Return the step that writes down how fast jobs were."""

    def step() -> float:
        learner.learn_once()
        return LEARNING_INTERVAL_S

    return step


def scoring_estimates(scorer: EstimateScorer) -> Step:
    """Return the step that keeps what gangs are told of their start, and compares it with what became of it."""

    def step() -> float:
        scorer.score_once()
        return SCORING_INTERVAL_S

    return step
