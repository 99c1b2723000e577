"""A real Kubernetes without nodes: etcd, the API server, the controllers, the scheduler, and KWOK where asked for."""

import json
import shutil
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.builders.eventually import eventually
from tests.kubernetes.testbed import arguments, kubeconfig
from tests.kubernetes.testbed.api import Api, Refused, path_of, trusting
from tests.kubernetes.testbed.binaries import folder as folder_of_programs
from tests.kubernetes.testbed.certificates import Authority, Pair
from tests.kubernetes.testbed.processes import Program, free_ports, guardian

START_TIMEOUT_S = 90.0
STAGES = Path(__file__).with_name("stages.yaml")
ADMIN = "admin"


class ControlPlane:
    """Starts with `start`, ends with `close`; or `with ControlPlane() as plane`. Raises NotReady with the log's end.

    `api_server_arguments` are added to the API server's. `node_grace_s` is after how many seconds without a heartbeat a
    node counts as unreachable. Ready in about 5 s, 0.5 GB of memory.
    """

    def __init__(self, *, api_server_arguments: Sequence[str] = (), node_grace_s: int = 50) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="medley-testbed-"))
        guardian().tell("folder", self.folder)
        self.authority = Authority(self.folder / "pki")
        self._clients: dict[tuple[str, ...], Pair] = {}
        store, peers, port = free_ports(3)
        self.port = port
        self.url = f"https://127.0.0.1:{port}"
        self.store_url = f"http://127.0.0.1:{store}"
        self._programs = folder_of_programs()
        self.kubelet_client = self.user("kubelet-client", "system:masters")
        self.store = self._program("etcd", arguments.store(self.folder / "etcd", store, peers))
        self.api_server = self._program("kube-apiserver", [*self._api_server(store), *api_server_arguments])
        keys = self.folder / "pki" / "accounts.key"
        manager = self.kubeconfig("system:kube-controller-manager")
        self.controllers = self._program(
            "kube-controller-manager",
            arguments.controllers(manager, keys, self.authority.own.certificate, node_grace_s=node_grace_s),
        )
        settings = arguments.scheduler_settings(self.folder, self.kubeconfig("system:kube-scheduler"))
        self.scheduler = self._program("kube-scheduler", ["--config", str(settings), "--secure-port=0"])
        self.kwok = self._program("kwok", arguments.kwok(self.kubeconfig(), [STAGES]))
        self.api = self.api_as(ADMIN, "system:masters")
        """A client that may do everything; the others are closed by who asked for them."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, *, with_kwok: bool = True) -> None:
        """Start everything and wait until a namespace gets its default service account."""
        try:
            self.store.start()
            self.store.wait_until(self._stores, within_s=START_TIMEOUT_S)
            self.start_api_server()
            for program in (self.controllers, self.scheduler, *([self.kwok] if with_kwok else [])):
                program.start()
            account = path_of("serviceaccounts", "default", namespace="default")
            self.controllers.wait_until(lambda: self.api.find(account) is not None, within_s=START_TIMEOUT_S)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End everything at once and remove the folder."""
        for program in (self.kwok, self.scheduler, self.controllers, self.api_server, self.store):
            program.kill()
        self.api.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_api_server(self) -> None:
        """Start the API server, after `stop_api_server` or `kill_api_server`, and wait until it is ready."""
        self.api_server.start()
        self.api_server.wait_until(self._is_ready, within_s=START_TIMEOUT_S)

    def stop_api_server(self) -> None:
        """Let the API server end in order; returns when its port is free."""
        self.api_server.stop()

    def kill_api_server(self) -> None:
        """Kill the API server: connections are cut, requests may be half done."""
        self.api_server.kill()

    def compact_store(self) -> int:
        """Forget all history but the newest and return its revision.

        Watches that run are served from the API server's own cache: only one that begins after a restart of the
        API server, at an older version, gets the answer 410.
        """
        newest = int(self._ask_store("kv/range", {"key": "AA=="})["header"]["revision"])
        self._ask_store("kv/compaction", {"revision": newest, "physical": True})
        return newest

    def user(self, name: str, *groups: str) -> Pair:
        """Return the certificate of a user in these groups; the same one each time."""
        return self._clients.setdefault((name, *groups), self.authority.client(name, *groups))

    def api_as(self, name: str, *groups: str) -> Api:
        """Return a client that is a user in these groups."""
        pair = self.user(name, *groups)
        return Api(self.url, tls=trusting(self.authority.own.certificate, pair.certificate, pair.key))

    def kubeconfig(self, user: str = ADMIN, *groups: str, namespace: str = "default") -> Path:
        """Return the file for a user: without any arguments for one who may do everything."""
        belongs = groups or (("system:masters",) if user == ADMIN else ())
        part = kubeconfig.by_certificate(self.user(user, *belongs))
        return self._kubeconfig(user, part, namespace)

    def kubeconfig_of_account(self, namespace: str, account: str) -> Path:
        """Return the file for a service account, with a token that is valid for an hour."""
        path = f"{path_of('serviceaccounts', account, namespace=namespace)}/token"
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        token = str(self.api.create(path, asked)["status"]["token"])
        return self._kubeconfig(f"{namespace}-{account}", kubeconfig.by_token(token), namespace)

    def make_namespace(self, name: str, labels: dict[str, str] | None = None) -> str:
        """Make a namespace and wait until pods can be made in it; returns its name."""
        self.api.create(path_of("namespaces"), {"metadata": {"name": name, "labels": labels or {}}})
        account = path_of("serviceaccounts", "default", namespace=name)
        eventually(lambda: self.api.find(account), within_s=30, what=f"the default account of {name}")
        return name

    def remove_namespace(self, name: str, *, within_s: float = 30.0) -> None:
        """Delete a namespace with its pods, without grace; returns when these are gone, the rest follows in seconds."""
        pods = path_of("pods", namespace=name)
        self.api.delete(pods, {"gracePeriodSeconds": 0})
        eventually(lambda: not self.api.get(pods)["items"], within_s=within_s, what=f"the end of the pods of {name}")
        self.api.delete(path_of("namespaces", name))

    def _kubeconfig(self, name: str, user: dict[str, str], namespace: str) -> Path:
        path = self.folder / f"{name.replace(':', '-')}.kubeconfig"
        authority = self.authority.own.certificate
        return kubeconfig.write(path, url=self.url, authority=authority, user=user, namespace=namespace)

    def _program(self, name: str, given: Sequence[str]) -> Program:
        return Program([str(self._programs / name), *given], log=self.folder / f"{name}.log")

    def _api_server(self, store: int) -> list[str]:
        return arguments.api_server(
            store_port=store,
            port=self.port,
            authority=self.authority.own.certificate,
            serving=self.authority.server("kube-apiserver"),
            accounts=self.authority.key_pair("accounts"),
            kubelet_client=self.kubelet_client,
        )

    def _is_ready(self) -> bool:
        try:
            return self.api.call("GET", "/readyz") == {"text": "ok"}
        except (OSError, Refused):
            return False

    def _stores(self) -> bool:
        try:
            return bool(self._ask_store("kv/range", {"key": "AA=="}))
        except OSError:
            return False

    def _ask_store(self, what: str, body: dict[str, object]) -> dict[str, dict[str, str]]:
        request = urllib.request.Request(f"{self.store_url}/v3/{what}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: dict[str, dict[str, str]] = json.load(answer)
        return found
