"""Places in the order of the queue, and what placements rested on, as answers."""

from api.schemas.waiting.standings import ComparisonAnswer, GroundsAnswer, QueueShareAnswer, StandingAnswer
from api.text.waiting.standings import comparison_text, grounds_text, standing_text
from scheduler.core.model.asking.comparison import Comparison
from scheduler.core.model.asking.grounds import Grounds, QueueShare, Standing
from scheduler.core.model.identifiers import job_named_by


def standing_answer(standing: Standing) -> StandingAnswer:
    """Return what a place rests on."""
    return StandingAnswer(
        policy=standing.policy,
        queue=standing.queue,
        place=standing.place,
        priority=standing.priority,
        age_s=standing.age_s,
        ageing_s=standing.ageing_s,
        shares=tuple(map(_share, standing.shares)),
        level=standing.level,
        text=standing_text(standing),
    )


def grounds_answer(grounds: Grounds) -> GroundsAnswer:
    """Return what a placement rested on; whose the reservations were is not told."""
    return GroundsAnswer(
        standing=standing_answer(grounds.standing),
        overtook=grounds.overtook,
        overtaken=tuple(job_named_by(group) for group in grounds.overtaken),
        siblings=tuple(map(_share, grounds.siblings)),
        kept=tuple(kept.begins for kept in grounds.kept),
        text=grounds_text(grounds),
    )


def comparison_answer(found: Comparison) -> ComparisonAnswer:
    """Return why a job was placed before another one."""
    return ComparisonAnswer(
        job=found.job,
        other=found.other,
        because=found.because.value,
        text=comparison_text(found),
        grounds=None if found.grounds is None else grounds_answer(found.grounds),
    )


def _share(share: QueueShare) -> QueueShareAnswer:
    return QueueShareAnswer(queue=share.queue, share=share.share, weight=share.weight)
