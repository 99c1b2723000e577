"""Clusters that cannot be reached or used: each says what is wrong and what to do, and the others work."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from scheduler.core.model.group import FailureClass, State, StopReason
from scheduler.ports.cluster import ClusterUnavailable, Finding
from tests.builders.eventually import eventually
from tests.kubernetes.faults.broken import broken_kubeconfigs
from tests.kubernetes.faults.real import Bed
from tests.kubernetes.faults.world import PATIENCE_S, World, bad, entry
from tests.kubernetes.manifests import DEPLOY, Document, build
from tests.kubernetes.testbed.api import path_of

SAID = {
    "missing": "cannot be read: No such file",
    "garbage": "cannot be used",
    "shapeless": "cannot be used",
    "closed": "cannot be reached",
    "silent": "in time",
    "distrusted": "is not trusted",
    "expired": "may have expired",
    "unknown": "Unauthorized",
    "unsigned": "Unauthorized",
}
"""What the finding of each way must say."""
RIGHTS = "apis/rbac.authorization.k8s.io/v1"
ACCOUNT = "medley"


def test_broken_clusters_say_what_is_wrong_and_a_good_one_beside_them_works(
    bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        configs = broken_kubeconfigs(bed.plane, bed.folder / "broken", silent)
        assert configs.keys() == SAID.keys()
        world = bed.unready()
        world.clusters = [*world.clusters, *(entry(path, bed.namespace, name=name) for name, path in configs.items())]
        world.start()
        eventually(lambda: set(bed.nodes) <= set(world.nodes()), within_s=PATIENCE_S, what="the good one's nodes")
        with ThreadPoolExecutor(len(SAID)) as threads:
            found = dict(zip(SAID, threads.map(world.check, SAID), strict=True))
        job = world.submit(environment={"TESTBED_RUNS_S": "0"})
        view = world.wait(job, "its success on the good cluster", lambda view: view.state is State.SUCCEEDED)
        assert (len(view.attempts), view.groups[0].failures) == (1, 0)
        world.leaves_nothing()
        for name, findings in found.items():
            (finding,) = findings
            assert not finding.is_ok
            assert SAID[name] in finding.detail, f"{name}: {finding}"
            assert finding.next_step, name
            cluster = world.driven(name)
            with pytest.raises(ClusterUnavailable, match=SAID[name]):
                cluster.inventory()
            assert any(SAID[name] in record.getMessage() for record in caplog.records), f"{name} is not in the log"
        assert bad(world.check()) == []
        assert all(check.is_ok for check in world.context.readiness() if check.is_required)


def granted(bed: Bed) -> list[str]:
    """Give an account in the bed's namespace exactly what deploy/base grants.

    Returns the paths of the two roles, that of the namespace first.
    """
    bed.api.create(path_of("serviceaccounts", namespace=bed.namespace), {"metadata": {"name": ACCOUNT}})
    roles = []
    for document in build(DEPLOY / "base"):
        kind = document["kind"]
        if not kind.endswith(("Role", "RoleBinding")):
            continue
        is_cluster_wide = kind.startswith("Cluster")
        namespace = "" if is_cluster_wide else bed.namespace
        name = f"{bed.namespace}-{ACCOUNT}"
        made: Document = {key: document[key] for key in ("rules", "roleRef") if key in document}
        if "roleRef" in made:
            made["roleRef"]["name"] = name
            made["subjects"] = [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": bed.namespace}]
        path = path_of(f"{kind.lower()}s", namespace=namespace, group=RIGHTS)
        bed.api.create(path, {"metadata": {"name": name}, **made})
        if "rules" in made:
            roles.append(f"{path}/{name}")
    assert len(roles) == 2
    return sorted(roles, key=lambda path: "/namespaces/" not in path)


def without(rules: list[Document], resource: str, verb: str) -> list[Document]:
    """Return rules of a role that grant one verb less."""
    kept = []
    for rule in rules:
        for each in rule["resources"]:
            verbs = [one for one in rule["verbs"] if (each, one) != (resource, verb)]
            kept += [{**rule, "resources": [each], "verbs": verbs}] if verbs else []
    return kept


def missing(world: World) -> list[Finding]:
    return [finding for finding in bad(world.check()) if finding.what.startswith("permission")]


def test_what_deploy_grants_is_enough_and_every_verb_of_it_is_missed(bed: Bed) -> None:
    roles = granted(bed)
    world = bed.world(kubeconfig=bed.plane.kubeconfig_of_account(bed.namespace, ACCOUNT))
    eventually(lambda: not bad(world.check()), within_s=PATIENCE_S, what="a check without complaints")
    job = world.submit()
    attempt = world.running(job)
    cluster = world.driven()
    key = next(worker.key for worker in cluster.observe() if worker.key.attempt == attempt.id)
    assert cluster.logs(key, offset=0, limit=100).text == "it ran\n"
    world.finish(job)
    for path in roles:
        rules = bed.api.get(path)["rules"]
        for resource, verb in [(each, verb) for rule in rules for each in rule["resources"] for verb in rule["verbs"]]:
            bed.api.patch(path, {"rules": without(rules, resource, verb)})
            (finding,) = eventually(lambda: missing(world), within_s=PATIENCE_S, what=f"no right to {verb} {resource}")
            assert finding.what.startswith(f"permission to {verb} {resource} in "), finding
            assert f"grant {verb} on {resource}" in (finding.next_step or "")
            bed.api.patch(path, {"rules": rules})
            eventually(lambda: not missing(world), within_s=PATIENCE_S, what="the right back")


def test_a_right_that_is_taken_away_refuses_gangs_until_it_is_back(bed: Bed) -> None:
    path, _ = granted(bed)
    rules = bed.api.get(path)["rules"]
    world = bed.world(kubeconfig=bed.plane.kubeconfig_of_account(bed.namespace, ACCOUNT))
    bed.api.patch(path, {"rules": without(rules, "pods", "create")})
    eventually(lambda: missing(world), within_s=PATIENCE_S, what="the missing right")
    job = world.submit(retries=0)
    world.stopped(job)
    assert "Medley lacks a permission" in (world.job(job).refusal or "")
    bed.api.patch(path, {"rules": rules})
    world.wait(job, "the start with the right", lambda view: view.state is State.RUNNING)
    world.ends(job, StopReason.START_REFUSED, FailureClass.INFRASTRUCTURE, charged=0)
