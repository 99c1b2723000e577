"""In which order pods arrive, and how many: as the trace's authors have it."""

from collections.abc import Sequence
from random import Random

from bench.replay.openb import Pod

MOST_ARRIVING = 1.3
"""So much arrives in all, in parts of the cluster's devices."""


def arrivals(pods: Sequence[Pod], capacity_milli: int, seed: int) -> list[Pod]:
    """Return the pods of a list, which is sorted by name, in a random order, and more of them drawn with replacement.

    A list that alone asks for more than arrives loses random pods. Drawing stops before the first pod that would make
    it too much, of which, as in the authors' code, the thousandths of only one of its devices count there.
    """
    random = Random(seed)
    most = MOST_ARRIVING * capacity_milli
    arriving = list(pods)
    random.shuffle(arriving)
    total = sum(pod.devices_milli for pod in arriving)
    if total > most:
        while total > most:
            total -= arriving.pop(random.randrange(len(arriving))).devices_milli
        return arriving
    while True:
        pod = pods[random.randrange(len(pods))]
        if total + pod.device_milli > most:
            return arriving
        total += pod.devices_milli
        arriving.append(pod)
