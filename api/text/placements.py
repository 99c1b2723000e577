"""Why a worker is where it is, in a sentence."""

from api.text.words import count
from scheduler.core.model.reason import PlacementNote


def placement_text(note: PlacementNote) -> str:
    """Return such as `tightest fit in rack r1: 8 of its h100-sxm were free, 4 stay free; 7 nodes were considered`."""
    return (
        f"tightest fit {_within(note)}: {note.devices_free_before} {note.chip} were free here, "
        f"{note.devices_free_after} stay free; {count(note.nodes_considered, 'node')} "
        f"{'was' if note.nodes_considered == 1 else 'were'} considered{_choice(note)}"
    )


def _within(note: PlacementNote) -> str:
    match note.domain_level:
        case "node":
            return "on one node"
        case "cluster":
            return f"across cluster {note.domain}"
    return f"in {note.domain_level} {note.domain}"


def _choice(note: PlacementNote) -> str:
    return "" if note.choices == 1 else f"; choice {note.choice} of {note.choices}"
