"""Device slots as the bits of an integer."""

from functools import lru_cache


@lru_cache(maxsize=65_536)
def lowest(mask: int, count: int) -> int:
    """Return the lowest `count` bits of a mask; all of them where it has fewer."""
    taken = 0
    for _ in range(count):
        taken |= (mask ^ taken) & -(mask ^ taken)
    return taken


def slots_of(mask: int) -> tuple[int, ...]:
    """Return the numbers of the bits, lowest first."""
    return tuple(slot for slot in range(mask.bit_length()) if mask >> slot & 1)


@lru_cache(maxsize=65_536)
def mask_of(slots: tuple[int, ...]) -> int:
    """Return slots as bits."""
    mask = 0
    for slot in slots:
        mask |= 1 << slot
    return mask
