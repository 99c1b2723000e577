"""The manifests of deploy/ as kubectl builds them, for tests that read, compare and apply them."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.builders.server import ROOT

DEPLOY = ROOT / "deploy"
DEV = DEPLOY / "overlays" / "dev"
KUBECTL_TIMEOUT_S = 300

Document = dict[str, Any]


class KubectlFailed(Exception):
    """A kubectl command failed; the message is what it said."""


def kubectl(*arguments: str, kubeconfig: Path | None = None, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    """Run kubectl to its end. Raises KubectlFailed."""
    program = shutil.which("kubectl")
    if program is None:
        raise KubectlFailed("there is no `kubectl`: install version 1.27 or newer")
    chosen = [] if kubeconfig is None else [f"--kubeconfig={kubeconfig}"]
    done = subprocess.run(
        [program, *chosen, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=KUBECTL_TIMEOUT_S,
    )
    if done.returncode != 0:
        raise KubectlFailed(f"`kubectl {' '.join(arguments)}`: {done.stderr}")
    return done


def build(folder: Path) -> list[Document]:
    """Return the objects of a kustomization; nothing is asked of any cluster."""
    return [document for document in yaml.safe_load_all(kubectl("kustomize", str(folder)).stdout) if document]


def by_name(documents: list[Document]) -> dict[str, Document]:
    """Return objects by `Kind/namespace/name`, each of them there once."""
    named = {name_of(document): document for document in documents}
    assert len(named) == len(documents), "an object is there twice"
    return named


def name_of(document: Mapping[str, Any]) -> str:
    """Return `Kind/namespace/name`, the hash at the end of a generated ConfigMap's name left out."""
    metadata = document["metadata"]
    name = metadata["name"].rpartition("-")[0] if document["kind"] == "ConfigMap" else metadata["name"]
    return f"{document['kind']}/{metadata.get('namespace', '')}/{name}"


def paths(value: Any, path: str = "") -> dict[str, Any]:
    """Return all leaves of a document by their path; items of a list go by their name where they have one."""
    if isinstance(value, dict) and value:
        return {leaf: one for key, item in value.items() for leaf, one in paths(item, f"{path}/{key}").items()}
    if isinstance(value, list) and value:
        labels = (item.get("name", number) if isinstance(item, dict) else number for number, item in enumerate(value))
        pairs = zip(labels, value, strict=True)
        return {leaf: one for label, item in pairs for leaf, one in paths(item, f"{path}/{label}").items()}
    return {path: value}
