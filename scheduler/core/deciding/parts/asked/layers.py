"""How long layers of families' models take, as the planner of trainings asks for it."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import chain

from scheduler.core.mixing.asked.profiles import Profiles
from scheduler.core.model.measuring.layers import LayerProfile, LayerSpeed, ProfileKey
from scheduler.core.model.measuring.throughput import JobFamily

_VERSION_BYTES = 6
"""A number of so many bytes is exact wherever numbers are floating-point ones, as in JSON."""
_NOTHING = Profiles()


class KnownLayers:
    """What is known of the layers of each family."""

    def __init__(self) -> None:
        self._layers: dict[JobFamily, dict[ProfileKey, LayerProfile]] = {}
        self._profiles: dict[JobFamily, Profiles] = {}

    def follow(self, speeds: Iterable[LayerSpeed]) -> None:
        """Take over what layers take, or that nothing is known any more."""
        for speed in speeds:
            known = self._layers.setdefault(speed.family, {})
            if speed.times is None:
                known.pop(speed.key, None)
            else:
                known[speed.key] = speed.times
            self._profiles.pop(speed.family, None)
            if not known:
                del self._layers[speed.family]

    def of(self, family: JobFamily) -> Profiles:
        """Return a family's profiles; their version follows from what is in them, so that it is the same everywhere."""
        known = self._layers.get(family)
        if known is None:
            return _NOTHING
        if family not in self._profiles:
            ordered = _ordered(known)
            self._profiles[family] = Profiles(_version(ordered), ordered)
        return self._profiles[family]

    def content(self) -> Iterator[object]:
        """Yield all of it in a fixed order."""
        families = sorted(self._layers, key=lambda family: (family.tenant, family.name))
        pairs = chain.from_iterable(((family, *item) for item in self.of(family).layers.items()) for family in families)
        yield from (LayerSpeed(*each) for each in pairs)


def _ordered(known: Mapping[ProfileKey, LayerProfile]) -> dict[ProfileKey, LayerProfile]:
    return {key: known[key] for key in sorted(known, key=lambda key: (key.chip, key.tensor_parallel, key.micro_batch))}


def _version(layers: Mapping[ProfileKey, LayerProfile]) -> int:
    digest = sha256(repr(tuple(layers.items())).encode()).digest()
    return int.from_bytes(digest[:_VERSION_BYTES], "big")
