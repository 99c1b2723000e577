"""What a job may ask of a cluster. Asked when a job is submitted, and again before anything of it is rendered.

Whoever submitted a job, and whatever checked it before: nothing of a tenant gets into a pod that does not pass here.
"""

import json
from collections.abc import Iterable
from itertools import pairwise

from scheduler.adapters.kubernetes.configuration import grammar
from scheduler.adapters.kubernetes.configuration.cluster import ClusterConfiguration
from scheduler.adapters.kubernetes.configuration.grammar import Form
from scheduler.adapters.kubernetes.configuration.images import BadImage, Reference
from scheduler.adapters.kubernetes.rendering.blueprint import Blueprint
from scheduler.core.model.asking.mounts import SecretVariable, Volume
from scheduler.core.model.job import Job
from scheduler.core.model.topology import CLUSTER, NODE
from scheduler.ports.cluster import StartFailed, StartRefusal
from scheduler.ports.launch import program_fields

RESERVED_PREFIXES = ("LD_", "MEDLEY_", "NVIDIA_", "CUDA_MPS_", "PYTHON")
"""Variables that decide what a worker loads or which devices it sees: those of a pod win over a device plugin's."""
DEVICE_VARIABLES = ("CUDA_DEVICE_ORDER", "GPU_DEVICE_ORDINAL", "ONEAPI_DEVICE_SELECTOR", "ZE_AFFINITY_MASK")
VISIBLE = "_VISIBLE_"

TEMPORARY = "/tmp"  # noqa: S108 - of a pod
MEDLEY_FOLDER = "/medley"
HOME = f"{MEDLEY_FOLDER}/home"
RUNTIME_FOLDER = f"{MEDLEY_FOLDER}/runtime"
CHECKPOINT_FOLDER = f"{MEDLEY_FOLDER}/checkpoints"
SERVED_FOLDER = f"{MEDLEY_FOLDER}/served"
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - of a pod
_TAKEN = ("/dev", "/proc", "/sys", "/run", "/var/run", "/etc", MEDLEY_FOLDER, TEMPORARY)
"""No volume may be at one of them, in it or around it."""
_NEEDED = ("/usr", "/bin", "/lib", "/lib64", "/sbin")
"""No volume may be at one of them."""

LARGEST_PROGRAM_BYTES = 256 * 1024
"""Beside it, the places of 1,024 ranks still fit into one ConfigMap, however long the names of their nodes are."""
LARGEST_ENVIRONMENT_BYTES = 256 * 1024


def objection(job: Job, configuration: ClusterConfiguration) -> str | None:
    """Return why the cluster would never run a job, for people; None where it would."""
    try:
        _check_nodes(job, configuration)
        check_job(job, configuration)
    except StartFailed as refusal:
        return str(refusal)
    return None


def check_job(job: Job, configuration: ClusterConfiguration) -> None:
    """Raise StartFailed, INVALID or NOT_ALLOWED, where a job asks for what the cluster does not give it."""
    require(grammar.LABEL, job.tenant, "the tenant")
    require(grammar.LABEL, job.id, "the job")
    programs = [job.spec.program, *(role.program for role in job.spec.roles if role.program is not None)]
    program_bytes = sum(len(json.dumps(program_fields(program)).encode()) for program in programs)
    if program_bytes > LARGEST_PROGRAM_BYTES:
        what = f"its command has {program_bytes:,} bytes" + (" with those of its roles" if len(programs) > 1 else "")
        raise _invalid(what, f"keep it below {LARGEST_PROGRAM_BYTES:,}")
    _check_served(job, configuration)
    image_of(job, configuration)
    _check_environment(job)
    _check_volumes(job, configuration)
    _check_secrets(job, configuration)


def _check_served(job: Job, configuration: ClusterConfiguration) -> None:
    """Raise StartFailed where a server is to serve checkpoints, and there are none here."""
    if job.spec.serves_training is None:
        return
    require(grammar.LABEL, job.spec.serves_training, "the training")
    if configuration.checkpoint_class(job.tenant) is None:
        what = f"tenant {job.tenant} has no place for checkpoints there, and the job serves those of a training"
        raise _not_allowed(what, configuration, "place for checkpoints")


def image_of(job: Job, configuration: ClusterConfiguration) -> Reference:
    """Return what a job's workers run. Raises StartFailed where they may not."""
    if job.spec.image is None:
        return configuration.runtime_image
    try:
        image = Reference.parse(job.spec.image)
    except BadImage as error:
        raise _invalid(f"its image cannot be used: {error}", "correct the name") from error
    if image == configuration.runtime_image or any(rule.allows(image) for rule in configuration.images_of(job.tenant)):
        return image
    raise _not_allowed(f"tenant {job.tenant} may not run the image {image.text}", configuration, "image")


def check_names(blueprint: Blueprint, rank: int) -> None:
    """Raise StartFailed, INVALID, where a name that a rank's pod gets cannot be one."""
    require(grammar.LABEL, blueprint.order.attempt, "the attempt")
    require(grammar.LABEL, blueprint.namespace, "the namespace")
    require(grammar.SUBDOMAIN, blueprint.places[rank].node, "the node")
    resource = blueprint.places[rank].resource
    if resource is not None:
        require(grammar.EXTENDED_RESOURCE, resource, "the resource of the devices")
    if blueprint.order.allocations[rank].share_milli:
        raise _invalid(f"rank {rank} was given a share of a device", "ask for whole devices")


def require(form: Form, text: str, what: str) -> str:
    """Return the text. Raises StartFailed where it has not this form."""
    if not form.matches(text):
        raise _invalid(f"{what} is {text[:80]!r}", f"use {form.rule}")
    return text


def _check_nodes(job: Job, configuration: ClusterConfiguration) -> None:
    """Raise StartFailed, NOT_ALLOWED, where the job asks for what the cluster's file does not tell of its nodes."""
    spec = job.spec
    levels = (NODE, *(level.name for level in reversed(configuration.topology)), CLUSTER)
    asked = [rule.level for rule in (spec.spread, spec.apart) if rule is not None]
    if spec.closeness.required is not None:
        asked.append(spec.closeness.required)
    for level in asked:
        if level not in levels:
            what = f"the topology has no level {level[:63]!r}, only {', '.join(levels)},"
            raise _not_allowed(what, configuration, "level")
    for label, _ in spec.node_labels:
        if label not in configuration.labels_of_nodes:
            raise _not_allowed(f"the label {label[:63]} of nodes is not told", configuration, "label under node_labels")


def _check_environment(job: Job) -> None:
    size_bytes = 0
    for name, value in job.spec.environment:
        _check_variable(name)
        if not grammar.is_text(value):
            raise _invalid(f"the variable {name} has a value that is no text", "leave out NUL and lone surrogates")
        size_bytes += len(name) + len(value.encode())
    if size_bytes > LARGEST_ENVIRONMENT_BYTES:
        what_to_do = f"keep them below {LARGEST_ENVIRONMENT_BYTES:,}, and put large values into a volume"
        raise _invalid(f"its variables have {size_bytes:,} bytes", what_to_do)
    names = [name for name, _ in job.spec.environment] + [secret.variable for secret in job.spec.secrets]
    if (twice := _repeated(names)) is not None:
        raise _invalid(f"the variable {twice} is set twice", "set it once")


def _check_variable(name: str) -> None:
    require(grammar.VARIABLE, name, "a variable's name")
    if name.startswith(RESERVED_PREFIXES) or VISIBLE in name or name in DEVICE_VARIABLES:
        raise _invalid(f"the variable {name} is not the job's to set", "leave it out: it follows from the placement")


def _check_volumes(job: Job, configuration: ClusterConfiguration) -> None:
    for volume in job.spec.volumes:
        _check_volume(volume, job, configuration)
    if (twice := _repeated(volume.path for volume in job.spec.volumes)) is not None:
        raise _invalid(f"two volumes are at {twice}", "give each a path of its own")


def _check_volume(volume: Volume, job: Job, configuration: ClusterConfiguration) -> None:
    path = require(grammar.MOUNT, volume.path, "a volume's path")
    if path in _NEEDED or any(is_within(path, taken) or is_within(taken, path) for taken in _TAKEN):
        raise _invalid(f"a volume at {path} would hide what workers need", "choose a path such as /data")
    if configuration.volume_class(volume.volume_class, job.tenant) is None:
        shown = volume.volume_class[:80]
        raise _not_allowed(f"tenant {job.tenant} has no volumes of class {shown!r}", configuration, "volume class")


def _check_secrets(job: Job, configuration: ClusterConfiguration) -> None:
    for secret in job.spec.secrets:
        _check_secret(secret, job, configuration)


def _check_secret(secret: SecretVariable, job: Job, configuration: ClusterConfiguration) -> None:
    _check_variable(secret.variable)
    require(grammar.SUBDOMAIN, secret.secret, "a secret's name")
    require(grammar.SECRET_KEY, secret.key, "a secret's key")
    if secret.secret not in configuration.rules_of(job.tenant).secrets:
        raise _not_allowed(f"tenant {job.tenant} may not read the secret {secret.secret}", configuration, "secret")


def is_within(path: str, folder: str) -> bool:
    """Say whether a normalised absolute path is a folder or lies in it."""
    return path == folder or path.startswith(f"{folder}/")


def _repeated(names: Iterable[str]) -> str | None:
    return next((one for one, other in pairwise(sorted(names)) if one == other), None)


def _invalid(what: str, what_to_do: str) -> StartFailed:
    return StartFailed(f"the job cannot run: {what}; {what_to_do}", StartRefusal.INVALID)


def _not_allowed(what: str, configuration: ClusterConfiguration, subject: str) -> StartFailed:
    what_to_do = f"ask the operator to list the {subject} in the configuration of the cluster"
    return StartFailed(f"{what} on cluster {configuration.name}; {what_to_do}", StartRefusal.NOT_ALLOWED)
