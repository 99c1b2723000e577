"""Starting the server with prepared answers."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.kubernetes.children import Child

PREPARE_LIMIT_S = 120.0
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: bench, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: bench, user: {{token: bench}}}}]
contexts: [{{name: bench, context: {{cluster: bench, user: bench}}}}]
current-context: bench
"""


@contextmanager
def prepared_server(*, pods: int, nodes: int, events: int) -> Iterator[tuple[Child, Path]]:
    """Start it with so many pods, nodes and events; give it and the kubeconfig by which it is reached."""
    with tempfile.TemporaryDirectory() as folder, Child("bench.kubernetes.still_server") as server:
        told = server.ask({"prepare": {"pods": pods, "nodes": nodes, "events": events}}, within_s=PREPARE_LIMIT_S)
        kubeconfig = Path(folder, "kubeconfig")
        kubeconfig.write_text(KUBECONFIG.format(port=told["port"]))
        kubeconfig.chmod(0o600)
        yield server, kubeconfig
