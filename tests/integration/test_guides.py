"""The guides, as a reader follows them: every command is run, in order, against a real server."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.eventually import eventually
from tests.builders.guide import NOT_RUN, Reader, blocks, commands
from tests.builders.server import ROOT, ServerProcess, strays

PAGES = ("README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")))
SEEN: dict[str, tuple[str, ...]] = {
    "README.md": ("job.yaml", "own-command", "mixed/nvidia-1"),
    "docs/using.md": (
        "would be placed at once, on mixed/",
        "first succeeded",
        "two-nodes succeeded",
        "0 | rank 0 of 2",
        "1 | rank 1 of 2",
        "It waits, 1st in the queue: needs 4 workers, each with 8 free h100-sxm",
        "cancelled",
    ),
    "docs/api.md": ('"tenant":"', "event: ", "It would be placed at once", "succeeded", "pools"),
    "docs/operating.md": ("is what the database", "research may hold any number of h100-sxm", "alice"),
    "docs/simulating.md": ("DEVICES OF A JOB", "with 32 more devices: median wait"),
    "docs/commands.md": ("operator is in use", "Logged in"),
    "docs/waiting.md": (
        "It would start at once",
        "With 2 nodes drained",
        "With 8 nodes added",
        "The same on another chip type",
    ),
    "docs/mixed-chip.md": ("a step (", "NVIDIA alone", "What would make it faster", "--hetero-process-meshes"),
    "docs/training.md": ("Submitted elastic", "is to have 2 workers at most", "asked for 2 workers at most"),
}
"""What a reader then sees, beside commands that end well."""
ELSEWHERE = {
    "docs/access.md": "tests/oidc/test_guide_of_access.py",
    "docs/deploying.md": "tests/kubernetes/test_guides_of_clusters.py",
    "docs/kubernetes.md": "tests/kubernetes/test_guides_of_clusters.py",
    "docs/inference.md": "tests/integration/test_inference.py",
}
"""Pages that are followed where what they need is: an issuer of logins, a control plane, time for replicas."""
STANDING_FOR = {"README.md": {"JOB": "own-command"}, "docs/waiting.md": {"vision": "reading"}}
"""By page what the reader writes in place of names of the page's."""
PROGRAMS = ("medley", "make", "kubectl", "docker", "curl", "python", ".venv/bin/python", "export", "cat")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", ROOT / "examples" / "clusters" / "mixed.yaml")
    server.start()
    yield server
    eventually(lambda: strays(server.data_folder) == [], within_s=60, what="no worker is left")
    server.stop()
    assert strays(server.data_folder) == []


@pytest.mark.parametrize("page", SEEN)
def test_every_command_of_a_guide_works_as_written(page: str, server: ServerProcess, tmp_path: Path) -> None:
    reader = Reader(tmp_path / "reader", address=server.address, data_folder=server.data_folder)
    (reader.folder / "examples").symlink_to(ROOT / "examples")
    reader.give("ada.token", server.tenant("reading"))
    if page in (
        "README.md",
        "docs/training.md",
        "docs/mixed-chip.md",
    ):  # the demonstration, or the first guide, logs the reader in
        reader.run(f"medley login {server.address} --token - < ada.token")
    seen = reader.follow(page, standing_for=STANDING_FOR.get(page))
    missing = [words for words in SEEN[page] if words not in seen]
    assert not missing, seen


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_commands_that_nobody_runs(page: str) -> None:
    shown = {command for block in blocks(page) if block.kind == "sh" for _, command in commands(block)}
    left_out = set(NOT_RUN.get(page, {}))
    assert left_out <= shown, f"not on the page any more: {left_out - shown}"
    where = ELSEWHERE.get(page)
    assert page in SEEN or shown <= left_out or where is not None, f"nobody runs {shown - left_out}"
    if where is not None:
        assert page in (ROOT / where).read_text(), f"{where} does not follow {page}"


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_marked_as_such_so_that_they_are_run(page: str) -> None:
    plain = "".join(block.text for block in blocks(page) if not block.kind)
    hidden = [line for line in plain.splitlines() if re.match(r"[A-Z_]+=\S+ ", line) or line.split(" ")[0] in PROGRAMS]
    assert hidden == [], "begin the block with ```sh"
