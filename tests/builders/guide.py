"""The guides as a reader follows them: blocks of commands and files, one after the other, in a folder of theirs."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.builders.server import ROOT

ADDRESS = "http://127.0.0.1:8080"
"""Where the guides say that the server is."""
DATA_FOLDERS = (".medley", "/var/lib/medley")
"""Where the guides say that its data are."""
BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([a-z/-]+\.(?:yaml|py))\n")
COMMENT = re.compile(r"\s+#.*$")
RUNS_WITHIN_S = 120

STARTED = "it goes on until it is stopped; the server of the test is started so, by tests.builders.server"
REAL_NODE = "it needs a node that runs containers; tests/kubernetes/end_to_end does so on a real one, in `make e2e`"
IMAGES = "it needs Docker; tests/kubernetes/end_to_end builds both images from these files, without"
ROLES = "processes of these roles, on a real PostgreSQL and Redis, are what tests/integration/processes is about"
BENCHMARKS = "it runs for minutes; tests/unit/bench and tests/kubernetes/test_benchmarks.py run each benchmark, small"
NOT_RUN: Mapping[str, Mapping[str, str]] = {
    "README.md": {
        "make demo": "tests/integration/test_demo.py runs what it runs, and .ci/run the target itself",
        "make test": "it is what runs the tests",
        "kubectl apply -k deploy/overlays/dev": "tests/kubernetes/test_guides_of_clusters.py, by deploying.md",
    },
    "docs/using.md": {
        "medley serve --data-folder .medley --inventory examples/clusters/mixed.yaml --listen 127.0.0.1:8080": STARTED,
    },
    "docs/operating.md": {
        "medley serve --data-folder /var/lib/medley --inventory cluster.yaml --listen 127.0.0.1:8080": STARTED,
        "export MEDLEY_DATABASE=postgresql://medley:PASSWORD@db/medley MEDLEY_REDIS_URL=redis://redis:6379": ROLES,
        "medley serve --role scheduler --data-folder /var/lib/medley --inventory cluster.yaml "
        "--api-url http://api:8080": ROLES,
        "medley serve --role api --secret-file server.secret --listen 0.0.0.0:8080 "
        "--scheduler-url http://scheduler:8081": ROLES,
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 medley serve": STARTED,
    },
    "docs/deploying.md": {
        "docker build -f deploy/images/medley/Dockerfile -t medley:dev .": IMAGES,
        "docker build -f deploy/images/runtime/Dockerfile -t medley-runtime:dev .": IMAGES,
        "kubectl -n medley rollout status deployment/medley": REAL_NODE,
        "kubectl -n medley port-forward service/medley 8080 &": REAL_NODE,
        "kubectl -n medley exec deploy/medley -- cat /var/lib/medley/data/operator.token "
        "| medley login http://127.0.0.1:8080 --token -": REAL_NODE,
    },
    "docs/kubernetes.md": {
        "medley serve --cluster kubernetes --kubeconfig ~/.kube/config --api-url http://ADDRESS-THAT-PODS-REACH:8080": (
            STARTED
        ),
    },
    "docs/benchmarks.md": {
        ".venv/bin/python -m bench NAME --json": BENCHMARKS,
        ".venv/bin/python -m bench replay openb --json": BENCHMARKS,
        ".venv/bin/python -m bench replay openb --nodes nodes.csv --pods one.csv.gz two.csv --seeds 3 --processes 2": (
            BENCHMARKS
        ),
    },
}
"""By page the commands that no reader of the tests runs, each with what keeps it and what is tried in its place."""


class Block(NamedTuple):
    """A fenced block of a page; its kind is the word beside the fence, empty where there is none."""

    kind: str
    text: str


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page, which is named from the root."""
    return [Block(*found) for found in BLOCK.findall((ROOT / page).read_text("utf-8"))]


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Yield the commands of a block, each as it stands and without its comment, on one line."""
    for line in re.split(r"(?<!\\)\n", block.text):
        if line:
            yield line, COMMENT.sub("", re.sub(r"\s*\\\n\s*", " ", line)).strip()


class Reader:
    """Somebody at a shell in a folder, who runs what a page says; what is not run is in NOT_RUN."""

    def __init__(
        self, folder: Path, *, address: str, data_folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.output = folder.with_suffix(".output")
        """What was seen so far; grows while a command runs."""
        self._places = {f"{name}/": f"{data_folder}/" for name in DATA_FOLDERS} | {ADDRESS: address}
        programs = folder / "bin"
        programs.mkdir(parents=True)
        for name, what in (("medley", "-m medley"), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {what} "$@"\n')
            (programs / name).chmod(0o755)
        self._environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            **(environment or {}),
        }

    def follow(self, page: str, *, standing_for: Mapping[str, str] | None = None) -> str:
        """Do what a page says; return what was seen. A command that fails is the page's fault.

        `standing_for` says what the reader writes in place of names that a page has for things of the reader's.
        """
        for block in blocks(page):
            if block.kind == "sh":
                left_out = NOT_RUN.get(page, {})
                self.run("\n".join(line for line, command in commands(block) if command not in left_out), standing_for)
            elif named := FILE_NAME.match(block.text):
                self.give(named[1], self._here(block.text, {}))
        return self.output.read_text()

    def give(self, name: str, content: str) -> None:
        """Put a file into the folder."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def run(self, script: str, standing_for: Mapping[str, str] | None = None) -> None:
        """Run commands as the reader does, up to the first that fails, which is an error."""
        with self.output.open("ab") as output:
            ended = subprocess.run(
                ["bash", "-e", "-x", "-c", self._here(script, standing_for or {})],
                stdout=output,
                stderr=output,
                check=False,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                timeout=RUNS_WITHIN_S,
            )
        assert ended.returncode == 0, self.output.read_text()

    def _here(self, text: str, standing_for: Mapping[str, str]) -> str:
        for written, meant in {**self._places, **standing_for}.items():
            text = text.replace(written, meant)
        return text
