"""What a layer takes with a micro-batch that nobody measured, from those that somebody did."""

from scheduler.core.mixing.asked.profiles import LayerProfile, Profiles
from scheduler.core.model.identifiers import ChipName

MOST_BEYOND = 2.0
"""So many times the largest measured micro-batch, and no further, its times still say something."""


def layer_at(profiles: Profiles, chip: ChipName, *, tensor_parallel: int, micro_batch: int) -> LayerProfile | None:
    """Return what a layer takes with a micro-batch; None where the nearest measured ones say too little.

    A layer takes a fixed time and one per sequence: between two measured micro-batches times lie on a straight line,
    and beyond the largest on the line of the last two, up to MOST_BEYOND of it. Never is a single one taken times the
    number of its sequences: small micro-batches leave a device idle, so that with the AMP runs that is 10 % wrong
    within twice the micro-batch and more than 100 % at sixteen times of it. From one alone no other follows.
    """
    measured = {
        key.micro_batch: times
        for key, times in profiles.layers.items()
        if key.chip == chip and key.tensor_parallel == tensor_parallel
    }
    if micro_batch in measured:
        return measured[micro_batch]
    below = sorted(batch for batch in measured if batch < micro_batch)
    above = sorted(batch for batch in measured if batch > micro_batch)
    if below and above:
        first, second = below[-1], above[0]
    elif len(below) > 1 and micro_batch <= MOST_BEYOND * below[-1]:
        first, second = below[-2:]
    else:
        return None
    part = (micro_batch - first) / (second - first)
    return _on_line(measured[first], measured[second], part, micro_batch / second)


def _on_line(first: LayerProfile, second: LayerProfile, part: float, share: float) -> LayerProfile:
    """Return what is on the line through two profiles, no further up than in proportion to the second one."""
    return LayerProfile(
        _time(first.layer_forward_s, second.layer_forward_s, part, share),
        _time(first.layer_backward_s, second.layer_backward_s, part, share),
        _time_if_known(first.embedding_s, second.embedding_s, part, share),
        _time_if_known(first.head_s, second.head_s, part, share),
        second.update_s if first.update_s is None else first.update_s,
    )


def _time(first: float, second: float, part: float, share: float) -> float:
    found = first + (second - first) * part
    return min(max(found, second), second * share) if part > 1.0 else found


def _time_if_known(first: float | None, second: float | None, part: float, share: float) -> float | None:
    return None if first is None or second is None else _time(first, second, part, share)
