"""How the batch is cut: data-parallel degrees with micro-batches, and how short a step each could have at best."""

from dataclasses import dataclass

import numpy as np

from scheduler.core.mixing.search.shaping.table import Flags, Floats, Integers, Table


@dataclass(frozen=True, slots=True)
class Cuts:
    """N ways of cutting the batch that may fit, the best bound first."""

    data_parallel: Integers
    """N: index into the table's degrees."""
    micro_batch: Integers
    """N: index into the table's micro-batches."""
    replicas: Integers
    """N: how many."""
    count: Integers
    """N: micro-batches a step and replica."""
    most_stages: Integers
    """N, K, T: tensor-parallel groups that each replica can have."""
    bound_s: Floats
    """N: no step is shorter."""


def cuts_of(table: Table) -> Cuts:
    """Return all cuts whose bound is finite."""
    replicas = np.array(table.data_parallels)
    d, b = (
        grid.ravel()
        for grid in np.meshgrid(np.arange(len(replicas)), np.arange(len(table.micro_batches)), indexing="ij")
    )
    sizes = replicas[d] * np.array(table.micro_batches)[b]
    batch = table.problem.training.global_batch
    divides = batch % sizes == 0
    d, b, count = d[divides], b[divides], batch // sizes[divides]
    most_stages = np.minimum(table.groups[None] // replicas[d][:, None, None], table.layers)
    bound_s = _bound_s(table, d, b, count, most_stages)
    order = np.lexsort((b, d, bound_s))
    order = order[np.isfinite(bound_s[order])]
    return Cuts(d[order], b[order], replicas[d[order]], count[order], most_stages[order], bound_s[order])


def _bound_s(table: Table, d: Integers, b: Integers, count: Integers, most_stages: Integers) -> Floats:
    """Return a step without transfers, in which layers can be split: no shorter period, filling or all-reduce."""
    layers = table.layers
    busy_s = np.moveaxis(table.busy_s[0][:, :, b], 2, 0)
    usable = most_stages > 0
    ends_s = np.moveaxis(table.ends_s[:, :, :, b], 3, 1)
    ends_s = np.where(usable, ends_s, np.inf).min(axis=(2, 3)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):  # a cut that no pool has room for has no speed
        speed = np.where(usable, most_stages / busy_s, 0.0).max(axis=2).sum(axis=1)
        sync_s = np.moveaxis(table.sync_s[:, :, d], 2, 0) * table.layer_parameters[None, None, :]
        synced = np.where(usable, most_stages / sync_s, 0.0)
        room = np.where(usable, most_stages * _most_layers(table, d, b), 0.0).max(axis=2).sum(axis=1)
        quickest_s = np.where(usable, busy_s, np.inf).min(axis=(1, 2))
        period_s = np.maximum(layers / speed, quickest_s)
        synced_s = layers / synced.max(axis=2).sum(axis=1)
        bound_s = (count - 1) * period_s + layers * quickest_s + ends_s + synced_s
    return np.where(has_room(room, layers) & (speed > 0), bound_s, np.inf)


def has_room(room: Floats, layers: int) -> Flags:
    """Say whether there is room for all layers, what rounding may hide aside."""
    return room >= layers * (1 - 1e-9)


def _most_layers(table: Table, d: Integers, b: Integers) -> Floats:
    """Return N, K, T: layers that one stage has memory for with a single micro-batch in flight."""
    each_bytes = table.layer_parameters[None, None, :] * table.state_bytes[d][:, None, None]
    kept_bytes = table.activation_bytes.min(axis=0)[:, b].T[:, None, :]
    reckoned: Floats = np.floor(table.room_bytes[None, :, None] / (each_bytes + kept_bytes)).clip(min=0)
    return reckoned
