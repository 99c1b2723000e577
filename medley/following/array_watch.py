"""Looks at an array from time to time, until all of its jobs are over."""

import time

from medley.answers import Json
from medley.client import Client
from medley.screens.job_text import FINAL

_PAUSE_S = 1.0
_PATIENCE_S = 60.0


def is_over(array: Json) -> bool:
    """Say whether all jobs of an array are final."""
    return set(array["states"]) <= FINAL


def wait_for_array(client: Client, array_id: str, *, deadline_s: float) -> Json:
    """Return the array once all of its jobs are final, or as it is when the deadline passes.

    From the first answer on a server that restarts is waited for, a minute long. `deadline_s` is a reading of
    time.monotonic(), or infinity.
    """
    while True:
        array = client.array(array_id)
        left_s = deadline_s - time.monotonic()
        if is_over(array) or left_s <= 0:
            return array
        client.patience_s = max(client.patience_s, _PATIENCE_S)
        time.sleep(min(_PAUSE_S, left_s))
