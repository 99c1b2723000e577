"""The parts of a cluster's description that shape pods: templates of pools, and classes of volumes."""

from collections.abc import Callable, Collection
from functools import partial

from scheduler.adapters.files.marked_yaml import Marked, suggest
from scheduler.adapters.kubernetes.configuration import grammar
from scheduler.adapters.kubernetes.configuration.entries import (
    Readers,
    flag,
    gather,
    listed,
    name,
    named,
    names,
    one_of,
    plain_text,
    text_of,
    whole_number,
)
from scheduler.adapters.kubernetes.configuration.pools import PoolTemplate, Toleration
from scheduler.adapters.kubernetes.configuration.volumes import ClaimVolume, NfsVolume, ScratchVolume, VolumeClass
from scheduler.adapters.kubernetes.identity import PREFIX
from scheduler.core.model.identifiers import ChipName

CAPABILITIES = ("IPC_LOCK", "NET_BIND_SERVICE", "NET_RAW", "SYS_NICE", "SYS_PTRACE", "SYS_RESOURCE")
"""What a pool may add: enough for training, and nothing that hands over the node."""
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
OWN_VARIABLES = "MEDLEY_"
MOST_LABELS = 32
MOST_SIZE_MIB = 16_777_216

_MOST_FEW = 64
_MOST_TENANTS = 10_000
_MOST_OF_A_RESOURCE = 1_000
_LAST_ID = 2**31 - 1


def read_pool(pool: str, entry: Marked, chips: Collection[ChipName]) -> PoolTemplate:
    """Return the template of a pool. Raises FileError."""
    readers: Readers = {
        "chips": ("chips", partial(listed, read=partial(chip_name, chips=chips), most=_MOST_FEW)),
        "labels": ("labels", read_labels),
        "host_network": ("has_host_network", flag),
        "capabilities": ("capabilities", partial(listed, read=partial(one_of, known=CAPABILITIES), most=_MOST_FEW)),
        "resources": ("resources", _resources),
        "shared_memory_mib": ("shared_memory_mib", whole_number(least=1, most=MOST_SIZE_MIB)),
        "run_as_user": ("run_as_user", whole_number(least=1, most=_LAST_ID)),
        "run_as_group": ("run_as_group", whole_number(least=0, most=_LAST_ID)),
        "fs_group": ("fs_group", whole_number(least=0, most=_LAST_ID)),
        "read_only_root_filesystem": ("is_root_filesystem_read_only", flag),
        "environment": ("environment", _environment),
        "annotations": ("annotations", _annotations),
        "tolerations": ("tolerations", partial(listed, read=_toleration, most=_MOST_FEW)),
        "runtime_class": ("runtime_class", text_of(grammar.SUBDOMAIN)),
    }
    values = gather(entry, readers)
    if not (values.get("chips") or values.get("labels")):
        raise entry.error(f"pool {pool!r} is for no nodes in particular", what_to_do="give it chips, labels or both")
    return PoolTemplate(name=pool, **values)


def read_volume_class(volume_class: str, entry: Marked) -> VolumeClass:
    """Return a class of volumes. Raises FileError."""
    kinds: dict[str, Callable[[Marked], ClaimVolume | ScratchVolume | NfsVolume]] = {
        "claim": _claim,
        "scratch": _scratch,
        "nfs": _nfs,
    }
    fields = entry.fields(required=(), optional=(*kinds, "read_only", "tenants"))
    given = [kind for kind in kinds if kind in fields]
    if len(given) != 1:
        what = f"volume class {volume_class!r} is of {len(given)} kinds"
        raise entry.error(what, what_to_do=f"give it exactly one of: {', '.join(kinds)}")
    return VolumeClass(
        name=volume_class,
        source=kinds[given[0]](fields[given[0]]),
        is_read_only="read_only" in fields and flag(fields["read_only"]),
        tenants=names(fields["tenants"], grammar.LABEL, most=_MOST_TENANTS) if "tenants" in fields else None,
    )


def read_labels(entry: Marked) -> tuple[tuple[str, str], ...]:
    """Return labels of nodes, whose values may have a `*` for any text. Raises FileError."""
    return named(entry, grammar.QUALIFIED, lambda _, value: name(value, grammar.LABEL_PATTERN), most=MOST_LABELS)


def chip_name(entry: Marked, chips: Collection[ChipName]) -> ChipName:
    """Return a chip type of the catalogue. Raises FileError."""
    chip = entry.text()
    if chip not in chips:
        raise entry.error(f"unknown chip {chip[:63]!r}", what_to_do=suggest(chip[:63], chips))
    return chip


def _resources(entry: Marked) -> tuple[tuple[str, int], ...]:
    def read(_: str, value: Marked) -> int:
        return value.whole_number(least=1, most=_MOST_OF_A_RESOURCE)

    return named(entry, grammar.EXTENDED_RESOURCE, read, most=_MOST_FEW)


def _environment(entry: Marked) -> tuple[tuple[str, str], ...]:
    def read(variable: str, value: Marked) -> str:
        if variable.startswith(OWN_VARIABLES):
            raise value.error(f"{variable} is Medley's own", what_to_do="leave it out")
        return plain_text(value)

    return named(entry, grammar.VARIABLE, read, most=_MOST_FEW)


def _annotations(entry: Marked) -> tuple[tuple[str, str], ...]:
    def read(key: str, value: Marked) -> str:
        if key.startswith(PREFIX):
            raise value.error(f"{key} is Medley's own", what_to_do="leave it out")
        return plain_text(value)

    return named(entry, grammar.QUALIFIED, read, most=_MOST_FEW)


def _toleration(entry: Marked) -> Toleration:
    fields = entry.fields(required=("key",), optional=("value", "effect"))
    return Toleration(
        key=name(fields["key"], grammar.QUALIFIED),
        value=name(fields["value"], grammar.LABEL_VALUE) if "value" in fields else None,
        effect=one_of(fields["effect"], EFFECTS) if "effect" in fields else None,
    )


def _claim(entry: Marked) -> ClaimVolume:
    return ClaimVolume(name(entry, grammar.SUBDOMAIN))


def _scratch(entry: Marked) -> ScratchVolume:
    fields = entry.fields(required=("size_mib",), optional=("in_memory",))
    size_mib = fields["size_mib"].whole_number(least=1, most=MOST_SIZE_MIB)
    return ScratchVolume(size_mib, is_in_memory="in_memory" in fields and flag(fields["in_memory"]))


def _nfs(entry: Marked) -> NfsVolume:
    fields = entry.fields(required=("server", "path"))
    return NfsVolume(name(fields["server"], grammar.HOST), name(fields["path"], grammar.FILE_PATH))
