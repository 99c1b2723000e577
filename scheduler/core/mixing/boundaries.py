"""What carries activations from a stage to the next, and how long that takes.

Sources: arXiv 2104.04473 (section 4.1: `b s h` numbers a micro-batch, each way); copying through hosts: as FlagScale
does between vendors.
"""

from scheduler.core.mixing.asked.pools import ChipPool, Link
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.memory import element_bytes
from scheduler.core.mixing.plan import Transport


def link_between(problem: Problem, a: ChipPool, b: ChipPool, *, in_one_node: bool = False) -> Link:
    """Return what connects two pools, or two nodes of one pool.

    Where the problem says nothing: the slower of both nodes' networks, through hosts where the vendors differ. Devices
    of a pool of one node, and those of a plan that all are `in_one_node` of a pool, have their own links.
    """
    if a.name == b.name:
        return Link(a.device_link_bytes_per_s if in_one_node or a.nodes == 1 else a.node_link_bytes_per_s)
    said = problem.links.get(frozenset((a.name, b.name)))
    if said is not None:
        return said
    slower = min(a.node_link_bytes_per_s, b.node_link_bytes_per_s)
    return Link(slower, goes_through_hosts=a.vendor != b.vendor)


def transfer_s(problem: Problem, a: ChipPool, b: ChipPool, *, micro_batch: int, in_one_node: bool = False) -> float:
    """Return how long a micro-batch's activations take from a stage on one pool to a stage on another, one way.

    `b s h` numbers (arXiv 2104.04473, section 4.1) by the link's rate. Through hosts: copying from the device, sending
    and copying to the device, one after another.
    """
    training = problem.training
    sent_bytes = training.sequence * micro_batch * training.shape.hidden * element_bytes(training)
    link = link_between(problem, a, b, in_one_node=in_one_node)
    took_s = link.latency_s + sent_bytes / link.bytes_per_s
    if link.goes_through_hosts:
        took_s += sent_bytes / a.host_copy_bytes_per_s + sent_bytes / b.host_copy_bytes_per_s
    return took_s


def transport(a: ChipPool, b: ChipPool) -> Transport:
    """Return how the runtime sends between two pools: with the library of their vendor, else through hosts."""
    return Transport.VENDOR if a.vendor == b.vendor else Transport.HOST
