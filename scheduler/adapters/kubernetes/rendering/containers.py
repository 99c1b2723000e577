"""The containers of a pod: the worker, and before it, where the job has its own image, one that brings the runtime."""

from typing import Any

from scheduler.adapters.kubernetes.configuration.pools import PoolTemplate
from scheduler.adapters.kubernetes.identity import WORKER_CONTAINER
from scheduler.adapters.kubernetes.launch import rank_variables
from scheduler.adapters.kubernetes.rendering.blueprint import Blueprint
from scheduler.adapters.kubernetes.rendering.checks import HOME, RUNTIME_FOLDER, image_of
from scheduler.adapters.kubernetes.rendering.mounts import needs_runtime, worker_mounts

RUNTIME = "runtime"
"""The init container of jobs with an image of their own."""

_NO_DEVICES = {"NVIDIA_VISIBLE_DEVICES": "void"}
"""Of a pod without devices: images made for CUDA say `all` here, and NVIDIA's container runtime, where it is a node's
default, then gives them every device of the node."""
_PROBE = {"periodSeconds": 1, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3}
_RUN = ("python3", "-m", "medley_runtime")
_COPY = (
    "import medley_runtime, pathlib, shutil; "
    "source = pathlib.Path(medley_runtime.__file__).parent; "
    f"shutil.copytree(source, '{RUNTIME_FOLDER}/medley_runtime', dirs_exist_ok=True, "
    "ignore=shutil.ignore_patterns('__pycache__'))"
)
_RUN_COPY = (
    "import os, runpy, sys; "
    f"sys.path.append('{RUNTIME_FOLDER}'); "
    f"os.environ['PYTHONPATH'] = ':'.join(filter(None, (os.environ.get('PYTHONPATH'), '{RUNTIME_FOLDER}'))); "
    "runpy.run_module('medley_runtime', run_name='__main__')"
)
"""Set as a variable of the pod, PYTHONPATH would replace the image's own."""


def worker_container(blueprint: Blueprint, rank: int, template: PoolTemplate) -> dict[str, Any]:
    """Return the container in which the job's program runs, started by the runtime."""
    image = image_of(blueprint.order.job, blueprint.configuration)
    is_runtime = not needs_runtime(blueprint)
    return (
        _container(blueprint, template, WORKER_CONTAINER)
        | {
            "image": image.text,
            "command": list(_RUN) if is_runtime else ["python3", "-c", _RUN_COPY],
            "env": _environment(blueprint, rank, template),
            "resources": _resources(_whole(blueprint, rank, template)),
            "volumeMounts": worker_mounts(blueprint, template),
        }
        | _serving(blueprint, rank)
    )


def _serving(blueprint: Blueprint, rank: int) -> dict[str, Any]:
    """Return what makes a server known as one: its port, and how the kubelet finds out whether it is ready."""
    serving = blueprint.order.job.spec.serving
    if serving is None or rank != 0:
        return {}
    found: dict[str, Any] = {"ports": [{"name": "serving", "containerPort": serving.port, "protocol": "TCP"}]}
    if serving.readiness_path is not None:
        asked = {"path": serving.readiness_path, "port": serving.port, "scheme": "HTTP"}
        found["readinessProbe"] = {"httpGet": asked} | _PROBE
    return found


def init_containers(blueprint: Blueprint, rank: int, template: PoolTemplate) -> list[dict[str, Any]]:
    """Return what runs before the worker: nothing, or the copying of the runtime into a job's own image.

    It asks for the worker's cpu and memory, so that the pod as a whole asks for no more than the worker does.
    """
    if not needs_runtime(blueprint):
        return []
    container = _container(blueprint, template, RUNTIME) | {
        "image": blueprint.configuration.runtime_image.text,
        "command": ["python3", "-c", _COPY],
        "resources": _resources(_cpu_and_memory(blueprint, rank)),
        "volumeMounts": [{"name": RUNTIME, "mountPath": RUNTIME_FOLDER}],
    }
    return [container]


def _container(blueprint: Blueprint, template: PoolTemplate, name: str) -> dict[str, Any]:
    capabilities: dict[str, list[str]] = {"drop": ["ALL"]}
    if template.capabilities and name == WORKER_CONTAINER:
        capabilities["add"] = list(template.capabilities)
    container: dict[str, Any] = {
        "name": name,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": capabilities,
            "readOnlyRootFilesystem": template.is_root_filesystem_read_only,
        },
    }
    if blueprint.configuration.image_pull_policy is not None:
        container["imagePullPolicy"] = blueprint.configuration.image_pull_policy
    return container


def _environment(blueprint: Blueprint, rank: int, template: PoolTemplate) -> list[dict[str, Any]]:
    """Return the variables, each once; those by which the runtime finds its document cannot be replaced.

    PYTHONUNBUFFERED: output shows when it is printed, and a killed worker's last lines are not lost in a buffer.
    """
    job = blueprint.order.job.spec
    ours = {"HOME": HOME, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    hidden = _NO_DEVICES if blueprint.places[rank].resource is None else {}
    plain = ours | dict(template.environment) | dict(job.variables) | hidden | rank_variables(rank)
    secret = {
        one.variable: {"secretKeyRef": {"name": one.secret, "key": one.key, "optional": False}} for one in job.secrets
    }
    variables: list[dict[str, Any]] = [
        {"name": name, "value": _literal(value)} for name, value in plain.items() if name not in secret
    ]
    return variables + [{"name": name, "valueFrom": source} for name, source in secret.items()]


def _literal(value: str) -> str:
    """Return what Kubernetes reads as this very text: it would put another variable's value in place of `$(NAME)`."""
    return value.replace("$", "$$")


def _whole(blueprint: Blueprint, rank: int, template: PoolTemplate) -> dict[str, str]:
    resource, count = blueprint.places[rank].resource, blueprint.order.allocations[rank].devices
    devices = {} if resource is None else {resource: str(count)}
    extra = {name: str(amount) for name, amount in template.resources}
    return extra | _cpu_and_memory(blueprint, rank) | devices


def _cpu_and_memory(blueprint: Blueprint, rank: int) -> dict[str, str]:
    allocation = blueprint.order.allocations[rank]
    return {"cpu": f"{allocation.cpu_milli}m", "memory": f"{allocation.memory_mib}Mi"}


def _resources(amounts: dict[str, str]) -> dict[str, Any]:
    """Return the same requests and limits, which makes the pod the last to be evicted from a node short of memory."""
    return {"requests": amounts, "limits": dict(amounts)}
