"""Moves of others by which a job that waits would have room."""

from collections.abc import Sequence

from medley.answers import Json
from medley.screens.output import say
from medley.screens.safe_text import one_line


def print_moves(moves: Sequence[Json]) -> None:
    """Say what would have to be moved; nothing where there is nothing."""
    if not moves:
        return
    say("It would start now if" if len(moves) == 1 else "It would start now if all of this were done:")
    for move in moves:
        say(f"  - {one_line(move['text'])}")
