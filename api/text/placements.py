"""Why a worker is where it is, in a sentence."""

from api.text.words import count
from scheduler.core.model.reason import PlacementNote


def placement_text(note: PlacementNote) -> str:
    """Return such as `tightest fit in rack r1: 8 h100-sxm were free here, 4 stay free; 7 nodes were considered`."""
    were = "was" if note.nodes_considered == 1 else "were"
    return f"{_fit(note)}; {count(note.nodes_considered, 'node')} {were} considered{_choice(note)}"


def _fit(note: PlacementNote) -> str:
    if note.chip is None:
        return f"room for a worker without devices {_within(note)}"
    before, after = note.devices_free_before, note.devices_free_after
    text = f"tightest fit {_within(note)}: {before} {note.chip} {'was' if before == 1 else 'were'} free here"
    if before == after:
        return f"{text} and {'stays' if after == 1 else 'stay'} free: it shares a device that was in use"
    return f"{text}, {after} {'stays' if after == 1 else 'stay'} free"


def _within(note: PlacementNote) -> str:
    match note.domain_level:
        case "node":
            return "on one node"
        case "cluster":
            return f"across cluster {note.domain}"
    return f"in {note.domain_level} {note.domain}"


def _choice(note: PlacementNote) -> str:
    return "" if note.choices == 1 else f"; choice {note.choice} of {note.choices}"
