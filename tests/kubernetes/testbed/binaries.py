"""Where the test bed's programs are kept, and how they are built: `python -m tests.kubernetes.testbed.build`.

They lie outside of the project, in a folder named by the hash of all that they are made of, which is renamed to that
name when it is complete. One process builds at a time.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
VERSION = "v1.36.3"
BUILD_TIMEOUT_S = 3600
_MAJOR, _MINOR, _ = VERSION[1:].split(".")
_STAMPS = {
    "gitVersion": VERSION,
    "gitMajor": _MAJOR,
    "gitMinor": _MINOR,
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "gitCommit": "0" * 40,
}
_STAMPED = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
_SMALL = "-s -w"
_LINK_FLAGS = " ".join(
    [_SMALL, *(f"-X {package}.{key}={value}" for package in _STAMPED for key, value in _STAMPS.items())]
)


@dataclass(frozen=True, slots=True)
class Component:
    """One program: its name, the folder of its Go module, the package to build and the linker's flags."""

    name: str
    module: Path
    package: str
    link_flags: str


def _ours(name: str) -> Component:
    return Component(name, HERE, f"./cmd/{name}", _LINK_FLAGS)


COMPONENTS = (
    _ours("etcd"),
    _ours("kube-apiserver"),
    _ours("kube-controller-manager"),
    _ours("kube-scheduler"),
    _ours("kubelet"),
    Component("kwok", HERE / "kwok", "sigs.k8s.io/kwok/cmd/kwok", _SMALL),
)


class CannotBuild(Exception):
    """The programs cannot be built here; the message says why and what to do."""


def folder() -> Path:
    """Return the folder in which the programs lie when they are complete."""
    return _cache() / _fingerprint()


def are_complete() -> bool:
    """Say whether all programs are there."""
    return all(os.access(folder() / component.name, os.X_OK) for component in COMPONENTS)


def find_go() -> str:
    """Return the `go` command. Raises CannotBuild where there is none that is new enough."""
    wanted = _wanted_go()
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if go is None:
        raise CannotBuild(
            f"The Kubernetes test bed is built by Go {wanted} or newer, and there is no `go`: install it."
        )
    said = subprocess.run(
        [go, "env", "GOVERSION"], capture_output=True, text=True, check=False, timeout=60, env=_environment()
    ).stdout
    found = re.match(r"go(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < tuple(int(part) for part in wanted.split(".")[:2]):
        raise CannotBuild(
            f"The Kubernetes test bed is built by Go {wanted} or newer, and {go} is {said.strip() or 'not working'}: "
            "install a newer one."
        )
    return go


def build(*, before: Callable[[Component, int], None], after: Callable[[Component], None]) -> Path:
    """Build what is not there yet and return its folder; `before` and `after` hear of each program.

    A second process waits for the first. Raises CannotBuild.
    """
    if are_complete():
        return folder()
    go = find_go()
    with _alone():
        if not are_complete():
            partial = folder().with_name(f"{folder().name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.rmtree(folder(), ignore_errors=True)
            partial.mkdir()
            for number, component in enumerate(COMPONENTS, start=1):
                before(component, number)
                _build_one(go, component, partial)
                after(component)
            partial.rename(folder())
    return folder()


def _build_one(go: str, component: Component, into: Path) -> None:
    cores = str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    flags = ["-p", cores, "-trimpath", "-mod=readonly", "-ldflags", component.link_flags]
    command = [go, "build", *flags, "-o", str(into / component.name), component.package]
    built = subprocess.run(command, cwd=component.module, env=_environment(), check=False, timeout=BUILD_TIMEOUT_S)
    if built.returncode != 0:
        raise CannotBuild(
            f"Building {component.name} failed with status {built.returncode}; what Go said is above. "
            "It needs about 5 GB of disk, 2 GB of memory and the network for the modules."
        )


def _environment() -> dict[str, str]:
    """Return this environment without what could change the build; it never fetches another Go."""
    kept = {name: value for name, value in os.environ.items() if name not in ("GOOS", "GOARCH", "GOEXPERIMENT")}
    return kept | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}


def _wanted_go() -> str:
    found = re.search(r"^go (\S+)$", (HERE / "go.mod").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def _cache() -> Path:
    chosen = os.environ.get("MEDLEY_TESTBED_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "medley" / "testbed"


def _fingerprint() -> str:
    made_of = hashlib.sha256()
    machine = os.uname()
    for component in COMPONENTS:
        made_of.update(f"{component.name} {component.package} {component.link_flags}\n".encode())
    made_of.update(f"{machine.sysname} {machine.machine}\n".encode())
    for pattern in ("go.mod", "go.sum", "kwok/go.mod", "kwok/go.sum", "cmd/*/main.go"):
        for path in sorted(HERE.glob(pattern)):
            made_of.update(f"{path.relative_to(HERE)} ".encode() + hashlib.sha256(path.read_bytes()).digest())
    return made_of.hexdigest()[:16]


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the cache's lock; the kernel lets go of it when this process ends."""
    _cache().mkdir(parents=True, exist_ok=True)
    with (_cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
