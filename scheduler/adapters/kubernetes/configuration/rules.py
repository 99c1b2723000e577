"""How a chip type is recognised on a node of Kubernetes: by the resource that a device plugin counts, and by labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from scheduler.core.model.identifiers import ChipName


@dataclass(frozen=True, slots=True)
class ChipRule:
    """A node that counts `resource` and carries all of `labels` has devices of type `chip`."""

    chip: ChipName
    resource: str
    """An extended resource such as `example.com/gpu`; what a pod asks for to get a device."""
    labels: tuple[tuple[str, str], ...] = ()
    """Keys and values; a `*` in a value stands for any text."""
    memory_mib: int | None = None
    """Of one device; None: what the chip catalogue says."""

    def fits(self, resource: str, labels: Mapping[str, str]) -> bool:
        """Say whether this rule names the devices that a node with these labels counts as `resource`."""
        return resource == self.resource and all(is_like(labels.get(key), value) for key, value in self.labels)


ChipRules = tuple[ChipRule, ...]
"""The first one that fits decides."""


def is_like(text: str | None, pattern: str) -> bool:
    """Say whether a label's value is what a pattern with `*` asks for; a label that is not there never is."""
    return text is not None and fnmatchcase(text, pattern)
