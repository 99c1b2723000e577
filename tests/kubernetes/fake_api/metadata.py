"""What every object has in common: its name, its labels, its owners, and when they are wrong."""

import random
import re
import string
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.kubernetes.fake_api.answers import Fault, Json
from tests.kubernetes.fake_api.resources import NAMESPACES, Kind

LONGEST_NAME = 253
LONGEST_LABEL = 63
LONGEST_ANNOTATIONS = 256 * 1024
SETTABLE = ("labels", "annotations", "finalizers", "ownerReferences")

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{SUBDOMAIN.pattern}')"
)
NAME_PART = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
KEY_RULE = (
    f"name part {NAME_PART} character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    f"'{LABEL_NAME.pattern}')"
)
VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def now() -> str:
    """Return the time as the API writes it."""
    return written(datetime.now(UTC))


def written(moment: datetime) -> str:
    """Return a time as the API writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """Return a time that the API wrote."""
    return datetime.fromisoformat(text)


def key_of(kind: Kind, namespace: str, name: str) -> str:
    """Return the key of an object."""
    return f"{namespace}/{name}" if kind.is_namespaced else name


def begun(kind: Kind, namespace: str, given: Mapping[str, Any]) -> Json:
    """Return the metadata of a new object."""
    metadata: Json = {}
    name = given.get("name") or ""
    if not name and given.get("generateName"):
        name = given["generateName"] + "".join(random.choices(string.ascii_lowercase + string.digits, k=5))
    metadata["name"] = name
    if given.get("generateName"):
        metadata["generateName"] = given["generateName"]
    if kind.is_namespaced:
        metadata["namespace"] = namespace
    metadata |= {"uid": str(uuid.uuid4()), "resourceVersion": ""}
    if kind.has_generation:
        metadata["generation"] = 1
    metadata["creationTimestamp"] = now()
    metadata |= {part: given[part] for part in SETTABLE if given.get(part)}
    if kind is NAMESPACES:
        metadata["labels"] = {**metadata.get("labels", {}), "kubernetes.io/metadata.name": name}
    return metadata


def faults(metadata: Json) -> Iterator[Fault]:
    """Yield what is wrong with an object's metadata."""
    name = metadata.get("name", "")
    if not name:
        yield Fault("metadata.name", "Required value", "name or generateName is required")
    elif len(name) > LONGEST_NAME:
        yield Fault("metadata.name", f'Invalid value: "{name}"', f"must be no more than {LONGEST_NAME} characters")
    elif not SUBDOMAIN.fullmatch(name):
        yield Fault("metadata.name", f'Invalid value: "{name}"', SUBDOMAIN_RULE)
    for key, value in (metadata.get("labels") or {}).items():
        yield from _key_faults("metadata.labels", key)
        if len(value) > LONGEST_LABEL:
            rule = f"must be no more than {LONGEST_LABEL} bytes"
            yield Fault("metadata.labels", f'Invalid value: "{value}"', rule)
        if value and not LABEL_NAME.fullmatch(value):
            yield Fault("metadata.labels", f'Invalid value: "{value}"', VALUE_RULE)
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        yield from _key_faults("metadata.annotations", key)
    if sum(len(key) + len(value.encode()) for key, value in annotations.items()) > LONGEST_ANNOTATIONS:
        yield Fault("metadata.annotations", "Too long", f"may not be more than {LONGEST_ANNOTATIONS} bytes")
    yield from _owner_faults(metadata.get("ownerReferences") or [])


def change_faults(before: Json, after: Json) -> Iterator[Fault]:
    """Yield what may not be changed."""
    for part in ("uid", "name", "namespace", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if after.get(part, before.get(part)) != before.get(part):
            yield Fault(f"metadata.{part}", f'Invalid value: "{after[part]}"', "field is immutable")
    added = [name for name in after.get("finalizers") or [] if name not in (before.get("finalizers") or [])]
    if before.get("deletionTimestamp") and added:
        listed = ", ".join(f'"{name}"' for name in added)
        why = "no new finalizers can be added if the object is being deleted, found new finalizers"
        yield Fault("metadata.finalizers", "Forbidden", f"{why} []string{{{listed}}}")


def _key_faults(field: str, key: str) -> Iterator[Fault]:
    prefix, slash, name = key.rpartition("/")
    if slash and not SUBDOMAIN.fullmatch(prefix):
        yield Fault(field, f'Invalid value: "{key}"', f"prefix part {SUBDOMAIN_RULE}")
    if len(name) > LONGEST_LABEL:
        yield Fault(field, f'Invalid value: "{key}"', f"name part must be no more than {LONGEST_LABEL} bytes")
    if not LABEL_NAME.fullmatch(name):
        yield Fault(field, f'Invalid value: "{key}"', KEY_RULE)


def _owner_faults(owners: list[Json]) -> Iterator[Fault]:
    path = "metadata.ownerReferences"
    for owner in owners:
        for part in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(part):
                what = "version" if part == "apiVersion" else part
                yield Fault(f"{path}.{part}", 'Invalid value: ""', f"{what} must not be empty")
    controllers = [f"{owner.get('kind')}/{owner.get('name')}" for owner in owners if owner.get("controller")]
    if len(controllers) > 1:
        why = 'Only one reference can have Controller set to true. Found "true" in references for'
        yield Fault(path, f"Invalid value: {owners}", f"{why} {' and '.join(controllers[:2])}")
