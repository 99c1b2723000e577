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
            text = f"no node of {cluster} has the {labels} {asked}{_but('its nodes have', offered)}"
        case Mismatch.LEVEL:
            text = f"the topology of {cluster} has no level {asked}{_but('it has', offered)}"
        case Mismatch.SHARES:
            text = f"{cluster} gives whole devices only: it can neither bind a chosen device nor enforce a share of one"
        case Mismatch.SHARE_SIZE:
            text = f"no device of {cluster} can be shared so: {asked or 'the share'}{_but('there is', offered)}"
        case Mismatch.SPREAD:
            text = f"{cluster} has too few domains to spread its workers so: {asked}{_but('it has', offered)}"
        case Mismatch.CONTRADICTION:
            text = f"two of its wishes exclude each other: {asked}{_but('there is', offered)}"
        case Mismatch.TOGETHER:
            needs = f": they need {asked}{_but('it has', offered)}" if asked else ""
            text = f"{cluster} has room for each of its parts and never for all of them together{needs}"
        case _:
            assert_never(reason.mismatch)
    return text


def mismatch_advice(reason: CannotServe) -> str:
    """Return what the user can do about it."""
    match reason.mismatch:
        case Mismatch.NODE_LABELS:
            text = "submit it with node_labels that nodes have (`medley nodes -o json` shows them), or without"
        case Mismatch.LEVEL:
            levels = f": {listed(reason.offered, 'or')}" if reason.offered else ""
            text = f"submit it with a level that there is{levels}"
        case Mismatch.SHARES:
            text = "submit it with devices_per_worker in place of share, or with chip types of another cluster"
        case Mismatch.SHARE_SIZE:
            text = "submit it with a smaller share (`medley pools` shows the memory of a device)"
        case Mismatch.SPREAD:
            text = "submit it with a larger spread.most, a smaller spread.level or fewer workers"
        case Mismatch.CONTRADICTION:
            text = "submit it without one of the two: topology.require or spread"
        case Mismatch.TOGETHER:
            text = (
                "submit it with fewer workers or smaller ones, or without topology.require or exclusive if it has them"
            )
        case _:
            assert_never(reason.mismatch)
    return text


def _all(words: tuple[str, ...]) -> str:
    return listed(words, "and") if words else ""


def _but(there: str, offered: str) -> str:
    return f"; {there} {offered}" if offered else ""
