"""Other sizes of gangs that run, in a sentence."""

from api.text.stops import given_text
from api.text.words import count, listed
from scheduler.core.model.attempt import ResizeStep
from scheduler.core.model.change import GroupResized, ResizeAdvanced
from scheduler.core.model.decision import ResizeCause

_WHY = {
    ResizeCause.WISHED: "that is as many as are wanted",
    ResizeCause.ROOM: "there is room for more",
    ResizeCause.LOAN: "there is room for more, lent until somebody waits for it",
    ResizeCause.OTHERS: "others are to have what it can do without",
}


def resized_text(resized: GroupResized) -> str:
    """Return what was decided."""
    new = [one for one in resized.allocations if one.since == resized.generation]
    come = f", {len(new)} of them new on {listed(sorted({one.node for one in new}), 'and')}" if new else ""
    workers = count(len(resized.allocations), "worker")
    why = _WHY[resized.cause] if resized.given_to is None else given_text(resized.given_to)
    return f"it is to go on with {workers}{come}: {why} (generation {resized.generation})"


def advanced_text(advanced: ResizeAdvanced) -> str:
    """Return how far it is."""
    match advanced.step:
        case ResizeStep.CALLED:
            return "its new workers run: all are asked to save and to meet anew"
        case ResizeStep.MET:
            return f"its workers met anew and go on as generation {advanced.generation}"
        case ResizeStep.FREED:
            return "the workers that are too many are gone, and what they held is free"
