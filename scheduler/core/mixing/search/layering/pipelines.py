"""Shapes stage by stage: arrays of C pipelines by P stages, the rest of a row empty."""

from dataclasses import dataclass

import numpy as np

from scheduler.core.mixing.search.shaping.cuts import Cuts
from scheduler.core.mixing.search.shaping.shapes import Shapes, in_one_node
from scheduler.core.mixing.search.shaping.table import Flags, Floats, Integers, Table


@dataclass(frozen=True, slots=True)
class Pipelines:
    """What every stage of C pipelines costs, before layers are dealt out."""

    table: Table
    shapes: Shapes
    count: Integers
    """C: micro-batches."""
    is_stage: Flags
    """C, P."""
    pool: Integers
    """C, P."""
    position: Integers
    """C, P: of its pool in the shape."""
    behind: Integers
    """C, P: stages from this one on, itself included."""
    busy_s: Floats
    """2, C, P: of one layer; the second without keeping activations."""
    extra_s: Floats
    """C, P: embedding and head, where a stage has them."""
    transfer_s: Floats
    """C, P - 1: one way."""
    layer_bytes: Floats
    """C, P: states of one layer."""
    activation_bytes: Floats
    """2, C, P: of one layer and micro-batch in flight."""
    room_bytes: Floats
    """C, P: for layers, with what each micro-batch in flight takes beside them in `ends_bytes`."""
    ends_bytes: Floats
    """C, P: of embedding and head for one micro-batch in flight."""
    sync_s: Floats
    """C, P: of one layer's gradients."""
    extra_sync_s: Floats
    """C, P: of those of embedding and head."""
    update_s: Floats
    """C, P: of one layer."""
    extra_update_s: Floats
    """C, P: of embedding and head."""

    def take(self, which: Integers) -> "Pipelines":
        """Return some of them, or one of them several times."""
        of_both = {name: getattr(self, name)[:, which] for name in ("busy_s", "activation_bytes")}
        of_each = {name: getattr(self, name)[which] for name in _OF_EACH}
        return Pipelines(self.table, self.shapes.take(which), **of_both, **of_each)


_OF_EACH = (
    *("count", "is_stage", "pool", "position", "behind", "extra_s", "transfer_s", "layer_bytes", "room_bytes"),
    *("ends_bytes", "sync_s", "extra_sync_s", "update_s", "extra_update_s"),
)


def pipelines_of(table: Table, cuts: Cuts, shapes: Shapes) -> Pipelines:
    """Lay out at least one shape stage by stage."""
    d, b = cuts.data_parallel[shapes.cut][:, None], cuts.micro_batch[shapes.cut][:, None]
    rows = np.arange(len(shapes))
    ends = np.cumsum(shapes.stages, axis=1)
    deep = ends[:, -1]
    index = np.arange(int(deep.max()))[None, :]
    is_stage = index < deep[:, None]
    position = np.minimum((index[:, :, None] >= ends[:, None, :]).sum(axis=2), ends.shape[1] - 1)
    pool = np.take_along_axis(shapes.pool, position, 1)
    degree = np.take_along_axis(shapes.degree, position, 1)
    last = deep - 1
    head = np.zeros(is_stage.shape)
    head[rows, last] = 1.0
    embedding = np.zeros(is_stage.shape)
    embedding[:, 0] = 1.0
    ends_s = table.ends_s[:, pool, degree, b]
    kept_bytes = table.ends_activation_bytes[:, degree, b]
    parameters = embedding * table.ends_parameters[0][degree] + head * table.ends_parameters[1][degree]
    if table.problem.training.shape.ties_embeddings:  # one stage has both in one
        parameters[deep == 1] = table.ends_parameters[0][degree[deep == 1]]
    in_node = np.take_along_axis(in_one_node(table, cuts, shapes), position, 1)[:, 1:] & (pool[:, :-1] == pool[:, 1:])
    sends_s = np.where(in_node, table.in_node_s[pool[:, 1:], b], table.transfer_s[pool[:, :-1], pool[:, 1:], b])
    state_bytes = table.state_bytes[d]
    layer_parameters = table.layer_parameters[degree]
    sync_s, update_s = table.sync_s[pool, degree, d], table.update_s[pool, d]
    return Pipelines(
        table=table,
        shapes=shapes,
        count=cuts.count[shapes.cut],
        is_stage=is_stage,
        pool=pool,
        position=position,
        behind=np.where(is_stage, deep[:, None] - index, 0),
        busy_s=table.busy_s[:, pool, degree, b],
        extra_s=embedding * ends_s[0] + head * ends_s[1],
        transfer_s=np.where(is_stage[:, 1:], sends_s, 0.0),
        layer_bytes=layer_parameters * state_bytes,
        activation_bytes=table.activation_bytes[:, degree, b],
        room_bytes=table.room_bytes[pool] - head * table.logits_bytes[degree, b] - parameters * state_bytes,
        ends_bytes=embedding * kept_bytes[0] + head * kept_bytes[1],
        sync_s=layer_parameters * sync_s,
        extra_sync_s=parameters * sync_s,
        update_s=layer_parameters * update_s,
        extra_update_s=parameters * update_s,
    )
