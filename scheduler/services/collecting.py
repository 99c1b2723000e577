"""When garbage is not collected: a collection walks all that is in memory, which is the whole state of the clusters."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Put the collection of garbage off for a moment that counts: a cycle of decisions, or the loading of the state.

    The state has few cycles of references, and what comes up meanwhile is collected soon after.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
