"""What devices are worth to jobs: by how fast their family is on each chip type, else by the catalogue."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from scheduler.core.deciding.parts.asked.layers import KnownLayers
from scheduler.core.model.change import ChipDefined, ProfilesChanged, SpeedsChanged
from scheduler.core.placement.request import request_of
from scheduler.core.queueing.dues.compute import rates_of, rates_of_family
from scheduler.core.queueing.run_times import family_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from scheduler.core.model.change import ClusterSeen, NodeSeen
    from scheduler.core.model.chip import ChipType
    from scheduler.core.model.identifiers import ChipName
    from scheduler.core.model.job import Job
    from scheduler.core.model.measuring.layers import LayerSpeed
    from scheduler.core.model.measuring.throughput import JobFamily, Speed
    from scheduler.core.placement.request import GangRequest

NOTHING_OWN: Mapping[ChipName, int] = MappingProxyType({})


class Speeds:
    """The speeds of families, and the units of COMPUTE that follow from them."""

    def __init__(self) -> None:
        self.rates: Mapping[ChipName, int] = {}
        """The units that one device of each chip type is by the catalogue."""
        self.version = 0
        """Grows whenever devices are worth something else to somebody."""
        self.layers = KnownLayers()
        """How long layers of families' models take: trainings are planned with it, and nothing is worth more by it."""
        self._catalogue = 0
        self._chips: dict[ChipName, ChipType] = {}
        self._speeds: dict[JobFamily, dict[ChipName, Speed]] = {}
        self._own: dict[JobFamily, Mapping[ChipName, int]] = {}
        """Of families that are known on two chip types of the catalogue or more."""

    def begin(self, chips: Iterable[ChipType], speeds: Iterable[Speed], layers: Iterable[LayerSpeed] = ()) -> None:
        """Take over all that is known when a state is made."""
        self.value(chips)
        self.follow(speeds)
        self.layers.follow(layers)

    def see(
        self, seen: ClusterSeen | NodeSeen | ChipDefined | SpeedsChanged | ProfilesChanged
    ) -> Callable[[Job], bool] | None:
        """Follow a change; return what says for which jobs devices are worth something else, None where for none."""
        if isinstance(seen, ProfilesChanged):
            self.layers.follow(seen.profiles)
            return None
        if isinstance(seen, SpeedsChanged):
            families = self.follow(seen.speeds)
            return (lambda job: family_of(job) in families) if families else None
        is_another = isinstance(seen, ChipDefined) and self.value([*self._chips.values(), seen.chip])
        return (lambda _: True) if is_another else None

    def value(self, chips: Iterable[ChipType]) -> bool:
        """Take over a catalogue, the last of each name; say whether devices are worth something else by it."""
        self._chips = {chip.name: chip for chip in chips}
        rates = rates_of(self._chips.values())
        if rates == self.rates:
            return False
        self.rates = rates
        self._catalogue += 1
        self.version += 1
        for family in self._speeds:
            self._work_out(family)
        return True

    def follow(self, speeds: Iterable[Speed]) -> set[JobFamily]:
        """Take over speeds; return the families to which devices are worth something else by them."""
        before: dict[JobFamily, Mapping[ChipName, int]] = {}
        for speed in speeds:
            before.setdefault(speed.family, self.own(speed.family))
            known = self._speeds.setdefault(speed.family, {})
            if speed.per_s is None:
                known.pop(speed.chip, None)
            else:
                known[speed.chip] = speed
        for family in before:
            self._work_out(family)
        changed = {family for family, own in before.items() if own != self.own(family)}
        self.version += bool(changed)
        return changed

    def measured(self, family: JobFamily) -> Mapping[ChipName, float]:
        """Return what a family does per second on one device, on the chip types of which that is known."""
        known = self._speeds.get(family, {})
        return {chip: speed.per_s for chip, speed in known.items() if speed.per_s is not None}

    def own(self, family: JobFamily) -> Mapping[ChipName, int]:
        """Return the units that one device is to a family, of those chip types alone on which its speed is known."""
        return self._own.get(family, NOTHING_OWN)

    def own_of(self, job: Job) -> Mapping[ChipName, int]:
        """Return the same of a job's family."""
        return self.own(family_of(job)) if self._own else NOTHING_OWN

    def rates_of(self, job: Job) -> Mapping[ChipName, int]:
        """Return the units that one device of each chip type is to a job."""
        own = self.own_of(job)
        return {**self.rates, **own} if own else self.rates

    def key_of(self, job: Job) -> object:
        """Return something that is equal for two jobs to which devices of each chip type are worth the same."""
        own = self.own_of(job)
        return (self._catalogue, *own.items()) if own else self._catalogue

    def asked_by(self, job: Job) -> GangRequest:
        """Return what a job asks of placement, be it one that nobody knows."""
        return request_of(job, self.rates_of(job), self.own_of(job))

    def content(self) -> Iterator[object]:
        """Yield all of it in a fixed order."""
        for family in sorted(self._speeds, key=lambda family: (family.tenant, family.name)):
            known = self._speeds[family]
            yield from (known[chip] for chip in sorted(known))
        yield from self.layers.content()

    def _work_out(self, family: JobFamily) -> None:
        known = self._speeds[family]
        if not known:
            del self._speeds[family]
        own = rates_of_family(self.rates, known.values())
        if own:
            self._own[family] = own
        else:
            self._own.pop(family, None)
