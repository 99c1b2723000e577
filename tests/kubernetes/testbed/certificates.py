"""Certificates and keys of a test bed, made by the `openssl` command in some hundredths of a second each."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OPENSSL_TIMEOUT_S = 30
DAYS = "30"
CURVE = ("ec_paramgen_curve:P-256",)


class NoOpenssl(Exception):
    """The `openssl` command is missing or failed; the message says which."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, or a public and a private key."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates in a folder of its own. Raises NoOpenssl."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.own = Pair(folder / "ca.crt", folder / "ca.key")
        key = ["-newkey", "ec", "-pkeyopt", *CURVE, "-nodes", "-keyout", str(self.own.key)]
        self._run("req", "-x509", *key, "-out", str(self.own.certificate), "-subj", "/CN=testbed", "-days", DAYS)

    def client(self, name: str, *groups: str) -> Pair:
        """Return what proves to be a user of these groups."""
        organisations = "".join(f"/O={group}" for group in groups)
        return self._issue(name, f"{organisations}/CN={name}", "extendedKeyUsage=clientAuth")

    def server(self, name: str) -> Pair:
        """Return what proves to be a server on the loopback address."""
        return self._issue(
            name, f"/CN={name}", f"extendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1,DNS:localhost,DNS:{name}"
        )

    def key_pair(self, name: str) -> Pair:
        """Return a public and a private key."""
        pair = Pair(self._folder / f"{name}.pub", self._folder / f"{name}.key")
        self._run("genpkey", "-algorithm", "EC", "-pkeyopt", *CURVE, "-out", str(pair.key))
        self._run("pkey", "-in", str(pair.key), "-pubout", "-out", str(pair.certificate))
        return pair

    def _issue(self, name: str, subject: str, extensions: str) -> Pair:
        stem = name.replace(":", "-").replace("/", "-")
        pair = Pair(self._folder / f"{stem}.crt", self._folder / f"{stem}.key")
        request, wanted = self._folder / f"{stem}.csr", self._folder / f"{stem}.ext"
        wanted.write_text(f"{extensions}\n")
        key = ["-newkey", "ec", "-pkeyopt", *CURVE, "-nodes", "-keyout", str(pair.key)]
        self._run("req", "-new", *key, "-out", str(request), "-subj", subject)
        signed = ["-CA", str(self.own.certificate), "-CAkey", str(self.own.key), "-CAcreateserial", "-days", DAYS]
        out = ["-in", str(request), "-extfile", str(wanted), "-out", str(pair.certificate)]
        self._run("x509", "-req", *signed, *out)
        return pair

    def _run(self, *arguments: str) -> None:
        if shutil.which("openssl") is None:
            raise NoOpenssl("The test bed makes its certificates with `openssl`, which is not on the PATH: install it.")
        done = subprocess.run(
            ["openssl", *arguments], capture_output=True, timeout=OPENSSL_TIMEOUT_S, check=False, text=True
        )
        if done.returncode != 0:
            raise NoOpenssl(f"`openssl {' '.join(arguments)}` failed: {done.stderr}")
