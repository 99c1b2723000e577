"""What places are judged by, as a YAML file.

All of it is optional; `examples/scoring.yaml` explains it::

    weights:                     # of the terms; docs/operating.md says what each one stands for
      usable: 1.0
      closeness: 2
    chip_values: {t4: 0.1}       # 0 to 1; the more, the rather it is left to those who need it
    inference_headroom: {t4: 16} # devices per cluster that are better left free
    job_mix:                     # the workers that usually come; without it, learnt from those that do
      - {cpu_milli: 8000, devices: 1, chips: [h100-sxm], weight: 3}
      - {cpu_milli: 4000, share_milli: 500, weight: 1}
"""

from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType

from scheduler.adapters.files.inventory_file import MOST_DEVICES
from scheduler.adapters.files.marked_yaml import Marked, read_marked, suggest
from scheduler.core.model.chip import ChipType
from scheduler.core.model.identifiers import ChipName
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.placement.scoring.configuration import Scoring
from scheduler.core.placement.scoring.job_mix import MOST_KINDS, JobMix, WorkerKind
from scheduler.core.placement.scoring.weights import Weights

_PARTS = ("weights", "chip_values", "inference_headroom", "job_mix")
_TERMS = tuple(term.name for term in fields(Weights))
_LARGEST_WEIGHT = 1_000.0
_LARGEST_FREQUENCY = 1e9
_MOST_HEADROOM = 1_000_000
_MOST_CPU_MILLI = 10_000_000


def read_scoring(path: Path, chips: Collection[ChipType]) -> Scoring:
    """Return what a file says; its chip types are those of the catalogue. Raises FileError."""
    parts = read_marked(path).fields(required=(), optional=_PARTS)
    catalogue = {chip.name for chip in chips}
    values = {
        chip: entry.number(most=1, or_zero=True)
        for chip, entry in _by_chip(parts.get("chip_values"), catalogue).items()
    }
    headroom = {
        chip: entry.whole_number(least=0, most=_MOST_HEADROOM)
        for chip, entry in _by_chip(parts.get("inference_headroom"), catalogue).items()
    }
    return Scoring(
        weights=_weights(parts["weights"]) if "weights" in parts else Weights(),
        chip_values=MappingProxyType(values),
        headroom_devices=MappingProxyType(headroom),
        job_mix=_job_mix(parts["job_mix"], catalogue) if "job_mix" in parts else None,
    )


def _weights(entry: Marked) -> Weights:
    given = entry.fields(required=(), optional=_TERMS)
    return Weights(**{term: weight.number(most=_LARGEST_WEIGHT, or_zero=True) for term, weight in given.items()})


def _by_chip(entry: Marked | None, catalogue: Collection[ChipName]) -> Mapping[ChipName, Marked]:
    entries = {} if entry is None else entry.entries()
    for chip, of_chip in entries.items():
        _require_known(of_chip, chip, catalogue)
    return entries


def _job_mix(entry: Marked, catalogue: Collection[ChipName]) -> JobMix:
    """Return the workers of a list, most frequent first, as the core has them."""
    items = entry.items()
    if not 1 <= len(items) <= MOST_KINDS:
        what_to_do = f"name from 1 to {MOST_KINDS} of them, or leave job_mix out to have it learnt"
        raise entry.error(f"{len(items)} kinds of workers", what_to_do=what_to_do)
    frequencies: dict[WorkerKind, float] = {}
    for item in items:
        kind, frequency = _worker_kind(item, catalogue)
        if kind in frequencies:
            raise item.error("these workers stand here twice", what_to_do="add up their weights")
        frequencies[kind] = frequency
    total = sum(frequencies.values())
    ordered = sorted(frequencies.items(), key=lambda pair: -pair[1])
    return JobMix(tuple((kind, frequency / total) for kind, frequency in ordered))


def _worker_kind(entry: Marked, catalogue: Collection[ChipName]) -> tuple[WorkerKind, float]:
    given = entry.fields(required=("cpu_milli", "weight"), optional=("devices", "share_milli", "chips"))
    if "devices" in given and "share_milli" in given:
        raise entry.error("'share_milli' beside 'devices'", what_to_do="give whole devices or a share of one, not both")
    devices = milli = 0
    if "share_milli" in given:
        devices, milli = 1, given["share_milli"].whole_number(least=1, most=WHOLE_DEVICE_MILLI - 1)
    elif "devices" in given:
        devices = given["devices"].whole_number(least=0, most=MOST_DEVICES)
        milli = WHOLE_DEVICE_MILLI if devices else 0
    kind = WorkerKind(
        cpu_milli=given["cpu_milli"].whole_number(least=0, most=_MOST_CPU_MILLI),
        milli_per_device=milli,
        devices=devices,
        chips=_accepted(given["chips"], catalogue) if "chips" in given else (),
    )
    return kind, given["weight"].number(most=_LARGEST_FREQUENCY)


def _accepted(entry: Marked, catalogue: Collection[ChipName]) -> tuple[ChipName, ...]:
    names = {item.text(): item for item in entry.items()}
    for name, item in names.items():
        _require_known(item, name, catalogue)
    if not names:
        raise entry.error("no chip type is accepted", what_to_do="name one, or leave chips out to accept any")
    return tuple(sorted(names))


def _require_known(entry: Marked, chip: str, catalogue: Collection[ChipName]) -> None:
    if chip not in catalogue:
        raise entry.error(f"unknown chip {chip[:63]!r}", what_to_do=suggest(chip[:63], catalogue))
