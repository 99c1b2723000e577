"""Kubeconfig files of a test bed: each holds all it needs, so it may be copied, broken and given away."""

import base64
from pathlib import Path
from typing import Any

import yaml

from tests.kubernetes.testbed.certificates import Pair


def write(path: Path, *, url: str, authority: Path, user: dict[str, Any], namespace: str = "default") -> Path:
    """Write a kubeconfig with one cluster, one user and one context, all named `testbed`."""
    cluster = {"server": url, "certificate-authority-data": _inline(authority)}
    context = {"cluster": "testbed", "user": "testbed", "namespace": namespace}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "testbed", "cluster": cluster}],
        "users": [{"name": "testbed", "user": user}],
        "contexts": [{"name": "testbed", "context": context}],
        "current-context": "testbed",
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document))
    return path


def by_certificate(pair: Pair) -> dict[str, Any]:
    """Return the user part for a client certificate."""
    return {"client-certificate-data": _inline(pair.certificate), "client-key-data": _inline(pair.key)}


def by_token(token: str) -> dict[str, Any]:
    """Return the user part for a token."""
    return {"token": token}


def _inline(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
