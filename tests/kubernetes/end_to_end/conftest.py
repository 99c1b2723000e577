"""The real node beside a real control plane, for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.kubernetes.end_to_end.images import build_images
from tests.kubernetes.end_to_end.real_node import RealNode
from tests.kubernetes.testbed.control_plane import ControlPlane

SERVICE_NAME = "medley.medley.svc"
"""The node has no cluster DNS and no kube-proxy; Medley's pod is on the machine's own network."""


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as plane:
        yield plane


@pytest.fixture(scope="session")
def node(plane: ControlPlane) -> Iterator[RealNode]:
    node = RealNode(plane, names=[SERVICE_NAME])
    node.start(build_images())
    node.give_devices(
        {"nvidia.com/gpu": 4, "cambricon.com/mlu": 4},
        {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "Model": "MLU370-X8"},
    )
    yield node
    node.close()
