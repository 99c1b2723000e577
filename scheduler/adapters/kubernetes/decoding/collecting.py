"""Python's search for reference cycles, put off while large documents are read."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_guard = threading.Lock()
_readers = 0
_was_on = False


@contextmanager
def collecting_later() -> Iterator[None]:
    """Let the block build large documents without the collector walking them again and again.

    Documents hold no cycles, so that nothing is lost by not looking; of the time to read a list it is two thirds.
    It stays off until the last of several threads is done. A block is one page of a list, or less.
    """
    global _readers, _was_on  # noqa: PLW0603 - the collector is one for the whole process
    with _guard:
        if _readers == 0:
            _was_on = gc.isenabled()
            gc.disable()
        _readers += 1
    try:
        yield
    finally:
        with _guard:
            _readers -= 1
            if _readers == 0 and _was_on:
                gc.enable()
