"""Which wish of a job a cluster cannot meet, in a sentence, and what to ask for instead."""

from typing import assert_never

from api.text.words import listed
from scheduler.core.model.reason import CannotServe, Mismatch


def mismatch_text(reason: CannotServe) -> str:
    """Return what was asked for and what there is instead, as a clause."""
    cluster, asked, offered = f"cluster {reason.cluster}", _all(reason.asked), _all(reason.offered)
    match reason.mismatch:
        case Mismatch.NODE_LABELS:
            labels = "label" if len(reason.asked) == 1 else "labels"
            return f"no node of {cluster} has the {labels} {asked}{_but('there are', offered)}"
        case Mismatch.LEVEL:
            return f"the topology of {cluster} has no level {asked}{_but('it has', offered)}"
        case Mismatch.SHARES:
            return f"{cluster} gives whole devices only: it can neither bind a chosen device nor enforce a share of one"
        case Mismatch.SHARE_SIZE:
            return f"no device of {cluster} can be shared so: {asked or 'the share'}{_but('there is', offered)}"
        case Mismatch.SPREAD:
            return f"{cluster} has too few domains to spread its workers so: {asked}{_but('there are', offered)}"
        case Mismatch.CONTRADICTION:
            return f"two of its wishes exclude each other: {asked}{_but('there is', offered)}"
    assert_never(reason.mismatch)


def mismatch_advice(reason: CannotServe) -> str:
    """Return what the user can do about it."""
    match reason.mismatch:
        case Mismatch.NODE_LABELS:
            return "submit it with node_labels that nodes have (`medley nodes -o json` shows them), or without"
        case Mismatch.LEVEL:
            levels = f": {listed(reason.offered, 'or')}" if reason.offered else ""
            return f"submit it with a level that there is{levels}"
        case Mismatch.SHARES:
            return "submit it with devices_per_worker in place of share, or with chip types of another cluster"
        case Mismatch.SHARE_SIZE:
            return "submit it with a smaller share (`medley pools` shows the memory of a device)"
        case Mismatch.SPREAD:
            return "submit it with a larger spread.most, a smaller spread.level or fewer workers"
        case Mismatch.CONTRADICTION:
            return "submit it without one of the two: topology.require or spread"
    assert_never(reason.mismatch)


def _all(words: tuple[str, ...]) -> str:
    return listed(words, "and") if words else ""


def _but(there: str, offered: str) -> str:
    return f"; {there} {offered}" if offered else ""
