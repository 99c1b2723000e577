"""The chip catalogue as a YAML file: the shipped one, and further ones of an operator in the same format."""

import re
from pathlib import Path

from scheduler.adapters.files.marked_yaml import Marked, read_marked
from scheduler.core.model.chip import ChipType

SHIPPED = Path(__file__).with_name("chips.yaml")

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_REQUIRED = ("vendor", "model", "memory_mib", "torch_device", "collective_library")
_FIGURES = ("dense_bf16_tflops", "measured_tflops", "memory_bandwidth_gb_s", "link_bandwidth_gb_s")
_OPTIONAL = (*_FIGURES, "link", "estimated_fields")

_MOST_CHIPS = 10_000
_MOST_MEMORY_MIB = 16 * 1024 * 1024
_LARGEST_FIGURE = 1e9
_LONGEST_TEXT = 100


def shipped_catalogue() -> list[ChipType]:
    """Return the chip types that Medley ships, by name."""
    return read_catalogue(SHIPPED)


def read_catalogue(path: Path) -> list[ChipType]:
    """Return the chip types of a catalogue file, by name; `chips.yaml` here explains the format. Raises FileError."""
    chips = read_marked(path).fields(required=("chips",))["chips"]
    entries = chips.entries()
    if len(entries) > _MOST_CHIPS:
        raise chips.error(f"{len(entries):,} chips are too many", what_to_do=f"keep at most {_MOST_CHIPS:,}")
    return [_chip(name, entry) for name, entry in sorted(entries.items())]


def _chip(name: str, entry: Marked) -> ChipType:
    if not _NAME.fullmatch(name):
        raise entry.error(
            f"{name[:_LONGEST_TEXT]!r} cannot name a chip", what_to_do="use lower-case letters, digits and dashes"
        )
    fields = entry.fields(required=_REQUIRED, optional=_OPTIONAL)
    figures = {field: fields[field].number(most=_LARGEST_FIGURE) if field in fields else None for field in _FIGURES}
    return ChipType(
        name=name,
        vendor=_short_text(fields["vendor"]),
        model=_short_text(fields["model"]),
        memory_mib=fields["memory_mib"].whole_number(least=1, most=_MOST_MEMORY_MIB),
        **figures,
        link=_short_text(fields["link"]) if "link" in fields else None,
        torch_device=_short_text(fields["torch_device"]),
        collective_library=_short_text(fields["collective_library"]),
        estimated_fields=_estimated_fields(fields),
    )


def _estimated_fields(fields: dict[str, Marked]) -> tuple[str, ...]:
    if "estimated_fields" not in fields:
        return ()
    names = []
    for item in fields["estimated_fields"].items():
        name = item.text()
        if name not in fields or name == "estimated_fields":
            raise item.error(f"{name!r} is not a field of this chip", what_to_do="name a field that stands above")
        names.append(name)
    return tuple(names)


def _short_text(entry: Marked) -> str:
    text = entry.text()
    if len(text) > _LONGEST_TEXT:
        raise entry.error(f"{len(text):,} characters are too many", what_to_do=f"keep it to {_LONGEST_TEXT}")
    return text
