from dataclasses import replace

import pytest

from scheduler.adapters.kubernetes.identity import Identity
from scheduler.adapters.kubernetes.views import MapView, Ownership, PodView

ATTEMPT = "0a1b2c3d4e5f6g7h-g0-a1"
OURS = Identity(b"ours", "east")


def pod() -> PodView:
    proof = OURS.proof("jobs", "Pod", f"{ATTEMPT}-r3")
    return PodView(
        uid="u",
        namespace="jobs",
        name=f"{ATTEMPT}-r3",
        version=1,
        node="",
        phase="Pending",
        reason="",
        message="",
        is_gated=True,
        deleted_at=None,
        ownership=Ownership(OURS.instance, ATTEMPT, 3, 1, proof, "owner"),
        container=None,
        conditions=(),
        requests=(),
    )


def owner() -> MapView:
    proof = OURS.proof("jobs", "ConfigMap", ATTEMPT)
    return MapView("u", "jobs", ATTEMPT, 1, False, OURS.instance, ATTEMPT, proof)


def test_what_was_made_with_the_servers_secret_is_ours() -> None:
    assert OURS.is_our_pod(pod())
    assert OURS.is_our_map(owner())
    assert Identity(b"ours", "east").is_our_pod(pod())


@pytest.mark.parametrize(
    "change",
    [
        {"attempt": "0a1b2c3d4e5f6g7h-g0-a2"},
        {"rank": 4},
        {"proof": ""},
        {"proof": "é"},
        {"instance": Identity(b"theirs", "east").instance},
        {"instance": ""},
    ],
    ids=str,
)
def test_a_pod_with_copied_labels_is_not_ours(change: dict[str, object]) -> None:
    given = pod()
    assert given.ownership is not None

    assert not OURS.is_our_pod(replace(given, ownership=replace(given.ownership, **change)))  # type: ignore[arg-type]


def test_a_proof_is_good_for_one_name_in_one_namespace_only() -> None:
    given = pod()
    assert given.ownership is not None

    assert not OURS.is_our_pod(replace(given, namespace="other"))
    assert not OURS.is_our_pod(replace(given, name=f"{ATTEMPT}-r4"))
    assert not OURS.is_our_pod(replace(given, name=f"{ATTEMPT}-r4", ownership=replace(given.ownership, rank=4)))
    assert not OURS.is_our_map(replace(owner(), namespace="other"))
    assert not OURS.is_our_map(replace(owner(), attempt="another"))
    assert not OURS.is_our_map(owner(), kind="Secret")


def test_what_was_made_for_one_cluster_is_not_that_of_another_or_of_one_renamed() -> None:
    west = Identity(b"ours", "west")

    assert west.instance != OURS.instance
    assert not west.is_our_pod(pod())
    assert not west.is_our_map(owner())
    assert west.proof("jobs", "Pod", "p") != OURS.proof("jobs", "Pod", "p")


def test_a_pod_without_labels_is_not_ours() -> None:
    assert not OURS.is_our_pod(replace(pod(), ownership=None))


def test_the_secret_is_not_shown() -> None:
    assert "ours" not in repr(OURS)
    assert len(OURS.instance) == 16
