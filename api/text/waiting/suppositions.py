"""What would follow from what is supposed, in sentences."""

from api.text.reasons import reason_text
from api.text.waiting.estimates import estimate_text
from api.text.words import count, listed, ordinal
from scheduler.core.model.asking.consequences import Consequences, JobProspect
from scheduler.core.model.identifiers import TenantName

MOST_NODES_NAMED = 4


def consequences_text(found: Consequences) -> str:
    """Return a few sentences about what changes for whom."""
    supposed = [
        f"{count(number, 'node')} {what}"
        for number, what in ((found.drained_count, "drained"), (found.added, "added"))
        if number
    ]
    opening = f"With {listed(supposed, 'and')}, " if supposed else "Then "
    return f"{opening}{_comings(found)}. {_waits(found)}."


def _comings(found: Consequences) -> str:
    leaves, shrinks, starts = found.leaving_count, found.shrinking_count, found.starting_count
    if not leaves and not shrinks and not starts:
        return "nobody has to leave and nobody starts at once"
    parts = []
    if leaves:
        parts.append(f"{count(leaves, 'gang')} would have to leave, {found.placed_again:,} with another place at once")
    if shrinks:
        parts.append(f"{count(shrinks, 'gang')} would go on with fewer workers")
    if starts:
        parts.append(f"{count(starts, 'gang')} would start")
    return listed(parts, "and")


def _waits(found: Consequences) -> str:
    waits = found.waits
    if not waits.waiting:
        return "Nobody waits"
    if not waits.looked_at and found.starting_count >= waits.waiting:
        return "Nobody else waits"
    whom = f"the first {waits.looked_at:,} in the queue"
    if waits.looked_at + found.starting_count >= waits.waiting:
        whom = "the others that wait" if found.starting_count else "those that wait"
    never = f", {waits.never:,} without an expected start any more" if waits.never else ""
    return f"Of {whom} {waits.longer:,} would wait longer, {waits.shorter:,} shorter{never}"


def job_prospect_text(prospect: JobProspect, you: TenantName | None) -> str:
    """Return what would become of a job, with when where it would wait."""
    why = "; ".join(reason_text(reason, you) for reason in prospect.reasons)
    if prospect.is_hopeless:
        return f"It would be refused, because it can never run as asked: {why}."
    if prospect.places:
        nodes = list(dict.fromkeys(node for place in prospect.places for node in place))
        more = len(nodes) - MOST_NODES_NAMED
        named = listed([*nodes[:MOST_NODES_NAMED], *([count(more, "more node")] if more > 0 else [])], "and")
        rest = f"; the next of its gangs would wait: {why}" if why else ""
        return f"It would start at once, on {named}{rest}."
    when = "" if prospect.expected is None else f"; {estimate_text(prospect.expected)}"
    return f"It would wait, {ordinal(prospect.position)} in the queue: {why}{when}."
