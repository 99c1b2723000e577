"""Ways in which the credentials and the address of a cluster may be of no use."""

import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.kubernetes.testbed.certificates import Authority, Pair
from tests.kubernetes.testbed.control_plane import ADMIN, ControlPlane
from tests.kubernetes.testbed.kubeconfig import by_certificate, by_token, write
from tests.kubernetes.testbed.processes import free_ports

OPENSSL_TIMEOUT_S = 30


def broken_kubeconfigs(plane: ControlPlane, folder: Path, silent: socket.socket) -> Mapping[str, Path]:
    """Write a kubeconfig for each way, and return them by its name; `silent` listens and says nothing."""
    folder.mkdir()
    admin = by_certificate(plane.user(ADMIN, "system:masters"))
    authority = plane.authority.own.certificate
    stranger = Authority(folder / "stranger")

    def config(name: str, *, url: str = plane.url, trusted: Path = authority, user: dict[str, Any] = admin) -> Path:
        return write(folder / f"{name}.kubeconfig", url=url, authority=trusted, user=user)

    (closed,) = free_ports(1)
    return {
        "missing": folder / "nowhere.kubeconfig",
        "garbage": _text(folder / "garbage.kubeconfig", "clusters: [}\n\0"),
        "shapeless": _text(folder / "shapeless.kubeconfig", yaml.safe_dump({"apiVersion": "v1", "clusters": "none"})),
        "closed": config("closed", url=f"https://127.0.0.1:{closed}"),
        "silent": config("silent", url=f"https://127.0.0.1:{silent.getsockname()[1]}"),
        "distrusted": config("distrusted", trusted=stranger.own.certificate),
        "expired": config("expired", user=by_certificate(expired(plane.authority.own, folder))),
        "unknown": config("unknown", user=by_token("nobody-gave-this")),
        "unsigned": config("unsigned", user=by_certificate(stranger.client(ADMIN, "system:masters"))),
    }


def expired(authority: Pair, folder: Path) -> Pair:
    """Return a client certificate of an administrator whose time is over since yesterday."""
    pair = Pair(folder / "expired.crt", folder / "expired.key")
    request = folder / "expired.csr"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(pair.key)]
    _openssl("req", "-new", *key, "-out", str(request), "-subj", f"/O=system:masters/CN={ADMIN}")
    signed = ["-CA", str(authority.certificate), "-CAkey", str(authority.key), "-set_serial", "77", "-days", "-1"]
    _openssl("x509", "-req", *signed, "-in", str(request), "-out", str(pair.certificate))
    return pair


def _text(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], capture_output=True, timeout=OPENSSL_TIMEOUT_S, check=True)
