"""Who we are and where the API server is, read by the official client's loaders from a kubeconfig or the pod itself."""

import hashlib
import queue
import ssl
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scheduler.adapters.kubernetes.transport.faults import Unreachable

LOADING_LIMIT_S = 30.0
"""A credential plugin may ask a cloud; one that asks a person never ends."""

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where to find them."""

    kubeconfig: Path | None
    """None: the service account of the pod that this process runs in."""
    context: str | None = None
    """None: the kubeconfig's current one."""

    @property
    def source(self) -> str:
        """What to call them in messages."""
        if self.kubeconfig is None:
            return "the pod's service account"
        return str(self.kubeconfig) if self.context is None else f"{self.kubeconfig}, context {self.context}"


@dataclass(frozen=True, slots=True)
class Access:
    """Loaded credentials, with everything that one connection needs."""

    server: str
    """Its URL without a slash at the end."""
    authorization: str | None
    """The header's value."""
    is_verified: bool
    server_name: str | None
    """The name that its certificate must bear, where it is not the URL's."""
    proxy: str | None
    ca_file: str | None
    certificate_file: str | None
    key_file: str | None
    material: bytes
    """A digest of what the three files held."""

    def has_same_connection(self, other: "Access") -> bool:
        """Say whether open connections stay good under the other credentials: only the token may differ."""
        return _connection(self) == _connection(other)

    def tls_context(self) -> ssl.SSLContext:
        """Return a context for connections. Raises OSError (an ssl.SSLError is one) where a file cannot be used."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if hasattr(ssl, "VERIFY_X509_STRICT"):  # Python 3.13 turned it on; the CAs of many clusters fail it
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if not self.is_verified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate_file is not None:
            # a password, even an empty one, keeps OpenSSL from asking for one at the terminal
            context.load_cert_chain(self.certificate_file, self.key_file, password="")
        return context


def marks(credentials: Credentials, access: Access | None) -> tuple[tuple[int, int, int], ...]:
    """Return what changes when one of the files does, cheap enough to ask for every few seconds."""
    files: list[str | Path] = []
    if credentials.kubeconfig is None:
        files += [SERVICE_ACCOUNT / "token", SERVICE_ACCOUNT / "ca.crt"]
    else:
        files.append(credentials.kubeconfig)
    if access is not None:
        files += [file for file in (access.ca_file, access.certificate_file, access.key_file) if file]
    return tuple(_mark(file) for file in files)


class Loader:
    """Reads credentials, one time after the other; for one thread at a time."""

    def __init__(self, credentials: Credentials, *, limit_s: float = LOADING_LIMIT_S) -> None:
        """No call takes longer than `limit_s`."""
        self._credentials = credentials
        self._limit_s = limit_s
        self._answers: queue.SimpleQueue[Access | Exception] | None = None

    def load(self, within_s: float = LOADING_LIMIT_S) -> Access:
        """Read the credentials, running a plugin where the kubeconfig names one. Raises Unreachable.

        While a plugin hangs no second one is run: each call waits for the first, for `within_s` at most.
        """
        limit_s = min(within_s, self._limit_s)
        source, kubeconfig = self._credentials.source, self._credentials.kubeconfig
        if kubeconfig is not None:
            _refuse_unreadable(kubeconfig)
        if self._answers is None:
            self._answers = queue.SimpleQueue()
            threading.Thread(
                target=_answer, args=(self._credentials, self._answers), name="kubernetes-credentials", daemon=True
            ).start()
        try:
            found = self._answers.get(timeout=max(limit_s, 0.0))
        except queue.Empty:
            raise Unreachable(
                f"reading {source} takes longer than {limit_s:.1f} s; "
                "see whether its credential plugin works without a person: kubectl get namespaces < /dev/null"
            ) from None
        self._answers = None
        if isinstance(found, Unreachable):
            raise found
        if isinstance(found, Exception):
            raise Unreachable(_explain(self._credentials, found)) from found
        return found


def _answer(credentials: Credentials, answers: queue.SimpleQueue[Access | Exception]) -> None:
    try:
        answers.put(_load(credentials))
    except Exception as error:  # noqa: BLE001 - the loaders pass on whatever their libraries raise
        answers.put(error)


def _load(credentials: Credentials) -> Access:
    # half a second and 60 MiB, which a server without Kubernetes does not spend
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that proxies of one kind would need another package
        from kubernetes import client, config  # noqa: PLC0415
        from kubernetes.client.rest import should_bypass_proxies  # noqa: PLC0415

    configuration = client.Configuration()
    if credentials.kubeconfig is None:
        config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    else:
        config.load_kube_config(  # type: ignore[no-untyped-call]
            config_file=str(credentials.kubeconfig),
            context=credentials.context,
            client_configuration=configuration,
            persist_config=False,  # the file is its owner's
        )
    if not isinstance(configuration.host, str) or not configuration.host.startswith(("http://", "https://")):
        raise Unreachable(f"{credentials.source} names no server as http:// or https://; correct its cluster")
    access = _access(configuration, is_direct=should_bypass_proxies)
    if access.server.startswith("https:") and access.authorization is None and access.certificate_file is None:
        raise Unreachable(
            f"{credentials.source} gives no token and no client certificate; "
            "if it names a credential plugin, that failed: what it said stands in the log just before this"
        )
    return access


def _access(configuration: Any, *, is_direct: Callable[..., bool]) -> Access:
    token = configuration.api_key.get("BearerToken")
    proxy = configuration.proxy
    if proxy and is_direct(configuration.host, no_proxy=configuration.no_proxy or ""):
        proxy = None
    files = [configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file]
    digest = hashlib.sha256()
    for file in files:
        content = Path(file).read_bytes() if file else b""
        digest.update(len(content).to_bytes(8, "big") + content)
    return Access(
        server=configuration.host.rstrip("/"),
        authorization=token.strip() if token else None,
        is_verified=bool(configuration.verify_ssl),
        server_name=configuration.tls_server_name or None,
        proxy=proxy or None,
        ca_file=files[0] or None,
        certificate_file=files[1] or None,
        key_file=files[2] or None,
        material=digest.digest(),
    )


def _connection(access: Access) -> tuple[object, ...]:
    # temporary files get new names on each loading, so what they held decides
    return (access.server, access.is_verified, access.server_name, access.proxy, access.material)


def _mark(file: str | Path) -> tuple[int, int, int]:
    try:
        found = Path(file).stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def _refuse_unreadable(path: Path) -> None:
    try:
        with path.open("rb") as file:
            content = file.read(1)
    except OSError as error:
        raise Unreachable(
            f"the kubeconfig {path} cannot be read: {error.strerror}; check the path and its permissions"
        ) from error
    if not content:
        raise Unreachable(f"the kubeconfig {path} is empty; write it anew, or name another")


def _explain(credentials: Credentials, error: Exception) -> str:
    """Return the loader's error for people. What it quotes from a file is cut off: it may be a secret."""
    said = " ".join(str(error).partition("{")[0].split())
    if credentials.kubeconfig is None:
        return (
            f"the pod's service account cannot be used: {said}; outside of a pod name a kubeconfig, "
            "inside let the pod mount its service account's token"
        )
    if isinstance(error, KeyError | TypeError | AttributeError):
        said = "its structure is not that of a kubeconfig"
    return f"{credentials.source} cannot be used: {said}; compare with what kubectl config view says of it"
