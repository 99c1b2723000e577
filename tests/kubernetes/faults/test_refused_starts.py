"""What becomes of a gang that the cluster will not take whole: nothing of it runs, nothing is charged, it waits."""

from scheduler.core.model.group import FailureClass, State, StopReason
from tests.builders.eventually import eventually
from tests.kubernetes.faults.real import DEVICES, Bed
from tests.kubernetes.faults.world import PATIENCE_S, RESOURCE, World, nodes_of
from tests.kubernetes.testbed.api import Api, Document, Refused, path_of

ADMISSION = "apis/admissionregistration.k8s.io/v1"
WANTED = "object.metadata.?labels['medley/rank'].orValue('') != '2'"


def is_refused(api: Api, path: str, body: Document) -> bool:
    try:
        api.call("POST", path, body, query={"dryRun": "All"})
    except Refused:
        return True
    return False


def plain_pod(name: str, **labels: str) -> Document:
    return {
        "metadata": {"name": name, "labels": {key.replace("_", "/"): value for key, value in labels.items()}},
        "spec": {"containers": [{"name": "main", "image": "registry.example/any:1"}]},
    }


def test_a_quota_for_some_pods_of_a_gang_refuses_it_whole(world: World, bed: Bed) -> None:
    quotas = path_of("resourcequotas", namespace=bed.namespace)
    bed.api.create(quotas, {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "2"}}})
    eventually(
        lambda: bed.api.get(f"{quotas}/few").get("status", {}).get("hard"), within_s=PATIENCE_S, what="the quota"
    )
    job = world.submit(workers=4, retries=0)
    first = world.stopped(job)
    assert first.workers == (), "something of a refused gang ran"
    view = world.job(job)
    assert "quota" in (view.refusal or "")
    bed.api.delete(f"{quotas}/few")
    world.wait(job, "the start once there is room", lambda view: view.state is State.RUNNING)
    world.ends(job, StopReason.START_REFUSED, FailureClass.INFRASTRUCTURE, charged=0)


def test_an_admission_rule_against_one_pod_of_a_gang_refuses_it_whole(world: World, bed: Bed) -> None:
    name = f"{bed.namespace}-no-rank-2"
    policies = path_of("validatingadmissionpolicies", group=ADMISSION)
    bindings = path_of("validatingadmissionpolicybindings", group=ADMISSION)
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": bed.namespace}}}
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [pods]},
        "validations": [{"expression": WANTED, "message": "rank 2 is not wanted here"}],
    }
    try:
        bed.api.create(policies, {"metadata": {"name": name}, "spec": policy})
        binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": here}
        bed.api.create(bindings, {"metadata": {"name": name}, "spec": binding})
        probe = plain_pod("probe", medley_rank="2")
        eventually(
            lambda: is_refused(bed.api, path_of("pods", namespace=bed.namespace), probe),
            within_s=PATIENCE_S,
            what="the policy to be in force",
        )
        job = world.submit(workers=4, retries=0)
        first = world.stopped(job)
        assert first.workers == (), "something of a refused gang ran"
        refusal = world.job(job).refusal or ""
        assert "admission rules" in refusal
        assert "rank 2 is not wanted here" in refusal
    finally:
        bed.api.delete(f"{bindings}/{name}")
        bed.api.delete(f"{policies}/{name}")
    world.wait(job, "the start without the rule", lambda view: view.state is State.RUNNING)
    world.ends(job, StopReason.START_REFUSED, FailureClass.INFRASTRUCTURE, charged=0)


def test_a_foreign_pod_that_takes_the_devices_before_binding_sends_the_job_elsewhere(world: World, bed: Bed) -> None:
    bed.plane.scheduler.kill()
    try:
        job = world.submit(retries=0)
        eventually(
            lambda: len([pod for pod in bed.pods() if not pod["spec"].get("schedulingGates")]) == 2,
            within_s=PATIENCE_S,
            what="a released gang",
        )
        (node,) = set(nodes_of(world.job(job).attempts[0]))
        foreign = plain_pod("foreign")
        foreign["spec"]["nodeName"] = node
        foreign["spec"]["containers"][0]["resources"] = {"limits": {RESOURCE: str(DEVICES)}}
        bed.api.create(path_of("pods", namespace=bed.namespace), foreign)
    finally:
        bed.plane.scheduler.start()  # it knows all pods before it binds any
    second = world.running(job, attempt=2)
    assert node not in nodes_of(second)
    detail = " ".join(worker.detail or "" for worker in world.job(job).attempts[0].workers)
    assert f"Insufficient {RESOURCE}" in detail
    world.ends(job, StopReason.NODE_REJECTED, FailureClass.INFRASTRUCTURE, charged=0, attempts=2)


def test_a_namespace_that_is_deleted_under_a_job_disrupts_it_and_back_again_it_runs(world: World, bed: Bed) -> None:
    job = world.submit(retries=0)
    world.running(job)
    bed.api.delete(path_of("namespaces", bed.namespace))

    def is_refused_for_want_of_it() -> bool:
        refusals = [one.stop_reason for one in world.job(job).attempts[1:]]
        return StopReason.START_REFUSED in refusals and "namespace" in (world.job(job).refusal or "")

    eventually(is_refused_for_want_of_it, within_s=PATIENCE_S, what="a refused start")
    gone = path_of("namespaces", bed.namespace)
    eventually(lambda: bed.api.find(gone) is None, within_s=PATIENCE_S, what="the end of the namespace")
    bed.plane.make_namespace(bed.namespace)
    world.wait(job, "the start where it is again", lambda view: view.state is State.RUNNING)
    world.ends(job, StopReason.DISRUPTED, FailureClass.DISRUPTED, charged=0)
