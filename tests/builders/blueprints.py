"""Attempts as they are about to be rendered for Kubernetes."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration
from scheduler.adapters.kubernetes.configuration.images import ImageRule, Reference
from scheduler.adapters.kubernetes.configuration.pools import Toleration
from scheduler.adapters.kubernetes.identity import Identity
from scheduler.adapters.kubernetes.rendering import Blueprint, Place
from scheduler.core.model.job import JobSpec
from scheduler.ports.cluster import GangOrder
from tests.builders.cluster import order

SECRET = b"the secret of a server"
RESOURCE = "nvidia.com/gpu"
NO_LABELS: Mapping[str, str] = MappingProxyType({})


def configuration(*, name: str = "test", **changes: Any) -> ClusterConfiguration:
    """Build the configuration of a cluster; `images` may be texts."""
    if "images" in changes:
        changes["images"] = tuple(ImageRule.parse(text) for text in changes["images"])
    if "runtime_image" in changes:
        changes["runtime_image"] = Reference.parse(changes["runtime_image"])
    return ClusterConfiguration(name, **changes)


def with_spec(given: GangOrder, **changes: Any) -> GangOrder:
    """Return the order with some fields of what was submitted changed."""
    spec: JobSpec = replace(given.job.spec, **changes)
    return replace(given, job=replace(given.job, spec=spec))


def blueprint(
    given: GangOrder | None = None,
    *,
    labels: Mapping[str, str] = NO_LABELS,
    resource: str = RESOURCE,
    tolerations: tuple[Toleration, ...] = (),
    **changes: Any,
) -> Blueprint:
    """Build what an order is rendered from; `changes` are those of the configuration.

    `tolerations` are what its nodes ask of ranks without devices.
    """
    wanted = given or order("wait")
    places = tuple(
        Place(allocation.node.partition("/")[2], None if allocation.chip is None else resource, labels, tolerations)
        for allocation in wanted.allocations
    )
    return Blueprint(wanted, places, configuration(**changes), Identity(SECRET, "test"))
