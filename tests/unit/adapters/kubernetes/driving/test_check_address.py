"""Where workers are told to find the API, as `medley clusters check` sees it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from scheduler.adapters.kubernetes.driving.check import Check
from scheduler.ports.cluster import Finding
from tests.builders.blueprints import configuration


class Answering:
    """A transport whose every call succeeds."""

    def request(self, *_: object, **__: object) -> dict[str, object]:
        return {"gitVersion": "v1.36.0", "minor": "36", "status": {"allowed": True}}


def found(api_url: str | None, **changes: object) -> list[Finding]:
    with ThreadPoolExecutor(1) as writers:
        check = Check(configuration(**changes), Answering(), writers=writers, health={}, api_url=api_url)  # type: ignore[arg-type]
        return [one for one in check.findings() if one.what.startswith("address of the API")]


@pytest.mark.parametrize("api_url", ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"])
def test_an_address_that_means_the_pod_itself_is_a_fault(api_url: str) -> None:
    (finding,) = found(api_url)
    assert not finding.is_ok
    assert "--api-url" in (finding.next_step or "")


def test_any_other_address_is_named() -> None:
    (finding,) = found("http://medley.medley.svc:8080")
    assert (finding.is_ok, finding.detail) == (True, "http://medley.medley.svc:8080")


def test_a_test_bed_may_have_its_pods_on_the_same_machine() -> None:
    assert found("http://127.0.0.1:8080", devices_are_simulated=True) == []
