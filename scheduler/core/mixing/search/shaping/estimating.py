"""A step of a shape as if layers could be split: which shapes are worth a closer look."""

import numpy as np

from scheduler.core.mixing.search.shaping.cuts import Cuts
from scheduler.core.mixing.search.shaping.shapes import WARM_UPS_ALL, Shapes, in_one_node
from scheduler.core.mixing.search.shaping.table import Floats, Table

STRETCHES = np.array([1.0, 1.4, 2.5])
"""Of the shortest period, where memory does not let the fastest stages have their share of layers."""
MOST_SHORT = 1.5
"""By so much memory may be short of what all layers want: what is in flight is taken at the middle of a run."""


def estimated_s(table: Table, cuts: Cuts, shapes: Shapes) -> Floats:
    """Return about how long a step of each shape takes: C; infinite where it cannot fit."""
    cut, pool, degree, stages = shapes.cut, shapes.pool, shapes.degree, shapes.stages
    d, b, count = cuts.data_parallel[cut][:, None], cuts.micro_batch[cut][:, None], cuts.count[cut]
    is_used = stages > 0
    rows = np.arange(len(shapes))
    last = is_used.sum(axis=1) - 1
    busy_s, again_s = table.busy_s[:, pool, degree, b]
    ends = np.zeros((2, *pool.shape))
    ends[0, :, 0], ends[1, rows, last] = 1.0, 1.0
    ends_s = (ends * table.ends_s[:, pool, degree, b]).sum(axis=0)
    behind = stages.sum(axis=1)[:, None] - np.cumsum(stages, axis=1)
    warmed = (shapes.warm_ups == WARM_UPS_ALL)[:, None]
    held = np.minimum(count[:, None], (behind + (stages + 1) / 2) * (1 + warmed))
    each_bytes = table.layer_parameters[degree] * table.state_bytes[d]
    most, most_again = table.room_bytes[pool] / (each_bytes + table.activation_bytes[:, degree, b] * held)
    with np.errstate(divide="ignore", invalid="ignore"):
        speed = np.where(is_used, stages / busy_s, 0.0).sum(axis=1)
        work = table.layers + np.where(is_used, ends_s / busy_s, 0.0).sum(axis=1)
    shortest_s = np.maximum(work / speed, np.where(is_used, busy_s + ends_s, 0.0).max(axis=1))
    is_run = (stages > 1) & ~warmed
    inside_s = np.where(in_one_node(table, cuts, shapes), table.in_node_s[pool, b], table.transfer_s[pool, pool, b])
    waited_s = np.where(is_run, inside_s, 0.0)
    shortest_s = np.maximum(shortest_s, np.where(is_run, busy_s, 0.0).max(axis=1) + waited_s.max(axis=1))
    period_s = shortest_s[:, None] * STRETCHES
    without = np.minimum(period_s[:, :, None] / busy_s[:, None, :], most[:, None, :])
    anew = np.minimum(period_s[:, :, None] / again_s[:, None, :], most_again[:, None, :])
    dealt = np.maximum(without, anew) * stages[:, None, :]
    room = dealt.sum(axis=2)
    suffices = room >= table.layers * (1 - 1e-9)
    suffices[:, -1] = True
    chosen = suffices.argmax(axis=1)
    short = (table.layers / room[rows, chosen]).clip(min=1.0)
    layers = dealt[rows, chosen] * (table.layers / room[rows, chosen])[:, None]
    layer_s = np.where(is_used, np.where(anew[rows, chosen] > without[rows, chosen], again_s, busy_s), 0.0)
    filling_s = np.where(is_used, layers * layer_s + ends_s, 0.0).sum(axis=1)
    within_s = inside_s * (stages - 1).clip(min=0)
    between_s = table.transfer_s[pool[:, :-1], pool[:, 1:], b] * is_used[:, 1:]
    layer_parameters, ends_parameters = (
        table.layer_parameters[degree],
        (ends * table.ends_parameters[:, degree]).sum(axis=0),
    )
    shared = (layers * layer_parameters + ends_parameters) / stages.clip(min=1)
    parameters = np.where(is_used, np.maximum(shared, ends_parameters + layer_parameters), 0.0)
    once_s = (parameters * table.sync_s[pool, degree, d]).max(axis=1)
    once_s += (parameters * table.update_s[pool, d]).max(axis=1)
    step_s = (count - 1) * period_s[rows, chosen] * short + filling_s + once_s
    step_s += 2 * (within_s.sum(axis=1) + between_s.sum(axis=1))
    return np.where(short <= MOST_SHORT, step_s, np.inf)
