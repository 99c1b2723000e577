"""Room that is kept for a job, in a sentence."""

from collections import Counter
from typing import assert_never

from api.text.words import count, date_and_time, listed
from scheduler.core.model.waiting.promise import Basis, DropReason, Promise


def promise_text(promise: Promise) -> str:
    """Return from when on which nodes room is kept, and what that counts on."""
    where = f"room is kept for it from {date_and_time(promise.begins)} on {listed(sorted(promise.nodes), 'and')}"
    ends = Counter(end.basis for end in promise.awaited)
    if not ends:
        return where
    counted = listed([_ends(ends[basis], basis) for basis in Basis if ends[basis]], "and")
    return f"{where}: by then {counted}"


def _ends(number: int, basis: Basis) -> str:
    those = count(number, "attempt")
    verb, their, them = ("ends", "its", "it") if number == 1 else ("end", "their", "them")
    match basis:
        case Basis.LIMIT:
            return f"{those} {verb} by {their} time limit"
        case Basis.LEARNT:
            return f"{those} will have run as long as others like {them}"
        case Basis.GUESSED:
            return f"{those} {'is' if number == 1 else 'are'} guessed to have ended, for nothing is known of {them}"
        case Basis.PROMISED:
            return f"{count(number, 'job')} with room kept before it {verb}"
    assert_never(basis)


def dropped_text(why: DropReason) -> str:
    """Return why no room is kept any more."""
    match why:
        case DropReason.NOT_NEEDED:
            return "no room is kept for it any more: it needs none"
        case DropReason.NODES:
            return "the room that was kept for it is no more: one of its nodes is gone or takes no work"
        case DropReason.OVERDUE:
            return "the room that was kept for it is no more: what was to end by then has not"
        case DropReason.GOES_FIRST:
            return "the room that was kept for it is no more: somebody who comes before it in the queue has some kept"
    assert_never(why)
