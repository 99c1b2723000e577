"""How long layers of models take, learnt from what the stages of trainings took."""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.core.mixing.calibrating.refitting import refit
from scheduler.core.model.measuring.layers import MeasuredLayers, Profile
from scheduler.core.model.measuring.stages import EndsInLayers, RefusalCause, RefusedStage, StageTime
from scheduler.core.queueing.run_times import family_of
from scheduler.ports.clock import Clock
from scheduler.ports.journal import Rejected, Rejection
from scheduler.ports.records.profiles import ProfileTable
from scheduler.services.access.attempt_tokens import AttemptClaim
from scheduler.services.follow_changes import FollowedState


@dataclass(frozen=True, slots=True)
class LearntLayers:
    """What became of a report."""

    learnt: tuple[Profile, ...]
    refused: tuple[RefusedStage, ...]


def learn_layers(
    profiles: ProfileTable,
    followed: FollowedState,
    clock: Clock,
    claim: AttemptClaim,
    stages: Sequence[StageTime],
    *,
    ends: EndsInLayers | None,
) -> LearntLayers | Rejected:
    """Take what an attempt's stages took into its family's profiles: what the attempt has no device of is refused.

    `ends` says what embedding and head take by the attempt's plan, where nothing was measured that says it.
    Rejected: NOT_FOUND, STALE_ATTEMPT.
    """
    followed.follow()  # it is reported seldom, and the attempt may have been placed by another process
    live = followed.live_attempt(claim.attempt)
    if live is None:
        return Rejected(Rejection.STALE_ATTEMPT, claim.attempt)
    held = {allocation.chip for allocation in live.allocations}
    foreign = [stage for stage in stages if stage.key.chip not in held]
    family = family_of(live.job)
    known = {one.key: one.times for one in profiles.of(family)}
    found = refit((stage for stage in stages if stage.key.chip in held), known, ends)
    measured = [MeasuredLayers(family, key, each.times, each.stages) for key, each in found.layers.items()]
    learnt = profiles.learn(claim.attempt, claim.generation, measured, clock.now())
    if isinstance(learnt, Rejected):
        return learnt
    others = (RefusedStage(stage, RefusalCause.OTHER_CHIP) for stage in foreign)
    return LearntLayers(tuple(learnt), (*found.refused, *others))
