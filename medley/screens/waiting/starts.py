"""When a job will start, in a few words."""

from datetime import datetime

from medley.answers import Json
from medley.screens.amounts import duration, parse_time


def start_text(starts: Json | None, at: datetime) -> str:
    """Return `starts in 12 min to 1 h (learnt)`; empty where nobody knows, or where it is about to."""
    if not starts or starts["basis"] == "free":
        return ""
    earliest, latest = _until(starts["earliest"], at), _until(starts["latest"], at)
    when = f"about {latest}" if earliest == latest else f"{earliest} to {latest}"
    return f"starts in {when} ({starts['basis']})"


def _until(text: str, at: datetime) -> str:
    """Return how long it is until a time of the API, in its largest unit."""
    return " ".join(duration((parse_time(text) - at).total_seconds()).split()[:2])
