"""A cluster of Medley's on the HTTP fake of the API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.adapters.kubernetes.cluster import KubernetesCluster
from tests.builders.kubernetes import Driven, node_document
from tests.kubernetes.driving.fake import script
from tests.kubernetes.fake_api.server import FakeApi


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi(schedules=True, script=script) as fake:
        fake.create("nodes", node_document())
        yield fake


@pytest.fixture
def driven(api: FakeApi, tmp_path: Path) -> Iterator[Driven]:
    made = Driven(api.kubeconfig(tmp_path / "kubeconfig"), tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def cluster(driven: Driven) -> KubernetesCluster:
    return driven.cluster()
