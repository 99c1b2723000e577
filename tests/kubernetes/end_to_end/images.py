"""The images of the end-to-end test, built from deploy/images without Docker: python -m tests...end_to_end.images.

They lie outside of the project as archives, each named by the hash of what it is made of. What buildah keeps of a
build's steps lies beside them, so that a change of our code costs one small layer. Needs root, and a Debian or a
relative of it with the packages that `.ci/real_node` installs.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kubernetes.testbed.processes import reap, spawn

ROOT = Path(__file__).resolve().parents[3]
WHEELS = ROOT.parent / "shared" / "wheels"
"""Where a torch for CPUs may lie; pip's index has only larger ones."""
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
SUITE = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
BASE = "localhost/testbed-base"
PAUSE = "localhost/testbed-pause:1"
STEP_TIMEOUT_S = 1800
KEPT_ARCHIVES = 2
HASH_DIGITS = 16
UNNEEDED = ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
IN_ITS_OWN_ROOM = ("unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc")
"""What a step mounts and starts is gone when the step is, also when it is killed."""


class CannotBuildImages(Exception):
    """The images cannot be built here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image and what goes into its build, relative to the repository's root."""

    name: str
    dockerfile: str
    sources: tuple[str, ...]
    wheels: str = ""
    """Which of the wheels beside the project its build may use."""

    @property
    def reference(self) -> str:
        """Return the name in full, as the container runtime knows it."""
        return f"docker.io/library/{self.name}"


RUNTIME = Image(
    "medley-runtime:dev",
    "deploy/images/runtime/Dockerfile",
    ("deploy/images/runtime/requirements.txt", "runtime/medley_runtime"),
    wheels="torch-*.whl",
)
SERVICE = Image(
    "medley:dev",
    "deploy/images/medley/Dockerfile",
    ("requirements/service.txt", "pyproject.toml", "LICENSE", "README.md", "scheduler", "api", "medley", "migrations"),
)


def build_images(
    say: Callable[[str], None] = lambda _: None, *, images: Sequence[Image] = (RUNTIME, SERVICE)
) -> tuple[Path, ...]:
    """Return the archives of the pause image and of ours, building what is missing; `say` hears of it.

    A second process waits for the first. Raises CannotBuildImages.
    """
    with _alone() as cache:
        builder = _Builder(cache, say)
        return (builder.pause(), *(builder.image(image) for image in images))


class _Builder:
    """Builds into one cache, which nobody else uses meanwhile."""

    def __init__(self, cache: Path, say: Callable[[str], None]) -> None:
        self._cache = cache
        self._say = say
        self._log = cache / "build.log"
        authorities = AUTHORITIES.read_bytes() if AUTHORITIES.exists() else b""
        recipe = f"{SUITE} {PACKAGES} {UNNEEDED} {PATH} {os.uname().machine} 1"
        self._base_hash = hashlib.sha256(recipe.encode() + authorities).hexdigest()[:HASH_DIGITS]
        self._base = f"{BASE}:{self._base_hash}"

    def pause(self) -> Path:
        """Return the image that keeps a pod's place: it sleeps."""
        archive = self._cache / f"pause-{os.uname().machine}.tar"
        if not archive.exists():
            self._say("the image that keeps a pod's place")
            with self._workplace() as place:
                files = place / "files"
                for file in _program_with_libraries("sleep"):
                    _copy(file.resolve(), files / file.relative_to("/"))
                (files / "pause").symlink_to(Path(_need("sleep")))
                self._commit(files, PAUSE, place, "--cmd", '["/pause", "infinity"]')
                self._archive(PAUSE, PAUSE, archive, place)
        return archive

    def image(self, image: Image) -> Path:
        """Return the archive of an image of ours."""
        stem = image.name.partition(":")[0]
        archive = self._cache / f"{stem}-{self._fingerprint(image)}.tar"
        if not archive.exists():
            self._prepare_base()
            self._say(f"{image.name}, by {image.dockerfile}")
            with self._workplace() as place:
                context = place / "context"
                _assemble(image, context)
                options = ["--layers", "--isolation=chroot", "--network=host", f"--build-arg=BASE={self._base}"]
                file = ["-f", str(context / image.dockerfile), "-t", f"localhost/{image.name}", str(context)]
                self._buildah("build", *options, *file, place=place)
                self._archive(f"localhost/{image.name}", image.reference, archive, place)
        archive.touch()
        hexadecimal = "[0-9a-f]" * HASH_DIGITS
        archives = sorted(self._cache.glob(f"{stem}-{hexadecimal}.tar"), key=lambda path: -path.stat().st_mtime)
        for old in archives[KEPT_ARCHIVES:]:
            old.unlink()
        return archive

    def _fingerprint(self, image: Image) -> str:
        made_of = hashlib.sha256(self._base_hash.encode())
        for path in (ROOT / ".dockerignore", ROOT / image.dockerfile, *_files(image)):
            made_of.update(f"{path.relative_to(ROOT)} ".encode() + hashlib.sha256(path.read_bytes()).digest())
        for wheel in _wheels(image):
            made_of.update(f"{wheel.name} {wheel.stat().st_size}".encode())
        return made_of.hexdigest()[:HASH_DIGITS]

    def _prepare_base(self) -> None:
        """Make the image that stands for the Dockerfiles' BASE: a small Debian with Python."""
        with self._workplace() as place:
            if self._has(self._base, place):
                return
            self._say(f"a small Debian ({SUITE}) with Python as the base of the images")
            rootfs = place / "rootfs"
            self._step(_need("debootstrap"), "--variant=minbase", f"--include={PACKAGES}", SUITE, str(rootfs))
            for name in UNNEEDED:
                shutil.rmtree(rootfs / name, ignore_errors=True)
            if AUTHORITIES.exists():  # the machine's own: what pip trusts here, it is to trust there
                shutil.copyfile(AUTHORITIES, rootfs / AUTHORITIES.relative_to("/"))
            settings = ("--env", f"PATH={PATH}", "--env", f"PIP_CERT={AUTHORITIES}")
            self._commit(rootfs, self._base, place, *settings)

    def _commit(self, files: Path, name: str, place: Path, *settings: str) -> None:
        container = self._buildah("from", "scratch", place=place).split()[-1]
        self._buildah("add", container, str(files), "/", place=place)
        self._buildah("config", *settings, container, place=place)
        self._buildah("commit", "--rm", container, name, place=place)

    def _archive(self, name: str, reference: str, archive: Path, place: Path) -> None:
        """Write an archive in Docker's form: unlike OCI's its layers are not compressed, which saves half a minute."""
        draft = place / "archive.tar"
        self._buildah("push", name, f"docker-archive:{draft}:{reference}", place=place)
        draft.replace(archive)

    def _has(self, name: str, place: Path) -> bool:
        try:
            self._buildah("inspect", "--type", "image", "--format", "{{.FromImageID}}", name, place=place)
        except CannotBuildImages:
            return False
        return True

    def _buildah(self, *arguments: str, place: Path) -> str:
        roots = ("--root", str(self._cache / "storage"), "--runroot", str(place / "run"), "--storage-driver", "overlay")
        return self._step(_need("buildah"), *roots, *arguments)

    def _step(self, *arguments: str) -> str:
        """Run one program to its end and return what it said. Raises CannotBuildImages."""
        with tempfile.TemporaryFile() as output:
            process = spawn([_need("unshare"), *IN_ITS_OWN_ROOM[1:], *arguments], output=output)
            try:
                process.wait(STEP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
            status = reap(process)
            output.seek(0)
            said = output.read().decode(errors="replace")
        with self._log.open("a") as log:
            log.write(f"$ {' '.join(arguments)}\n{said}\n")
        if status != 0:
            raise CannotBuildImages(f"`{' '.join(arguments)}` ended with status {status}:\n{said[-4000:]}")
        return said.strip()

    @contextmanager
    def _workplace(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self._cache, prefix="work-") as place:
            yield Path(place)


@contextmanager
def _alone() -> Iterator[Path]:
    """Hold the cache's lock, and remove what a killed run left of its work."""
    if os.geteuid() != 0:
        raise CannotBuildImages("building images and running a node needs root: run the tests as root")
    chosen = os.environ.get("MEDLEY_TESTBED_CACHE")
    cache = (Path(chosen) if chosen else Path.home() / ".cache" / "medley") / "images"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for old in cache.glob("work-*"):
            shutil.rmtree(old, ignore_errors=True)
        yield cache


def _files(image: Image) -> list[Path]:
    found = []
    for source in image.sources:
        path = ROOT / source
        inside = (one for one in path.rglob("*") if one.is_file() and "__pycache__" not in one.parts)
        found += sorted(inside) if path.is_dir() else [path]
    return found


def _wheels(image: Image) -> list[Path]:
    return sorted(WHEELS.glob(image.wheels)) if image.wheels else []


def _assemble(image: Image, context: Path) -> None:
    """Put together what a build may see; .dockerignore is there too, and must let all of it through."""
    for path in (ROOT / ".dockerignore", ROOT / image.dockerfile, *_files(image)):
        _copy(path, context / path.relative_to(ROOT))
    for wheel in _wheels(image):
        _copy(wheel, context / "wheels" / wheel.name)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    shutil.copymode(source, target)
    target.chmod(target.stat().st_mode | 0o644)


def _program_with_libraries(name: str) -> list[Path]:
    listed = subprocess.run([_need("ldd"), _need(name)], capture_output=True, text=True, check=True, timeout=30).stdout
    return [Path(_need(name)), *(Path(path) for path in re.findall(r"(/\S+) \(0x", listed))]


def _need(program: str) -> str:
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise CannotBuildImages(f"there is no `{program}`: `.ci/real_node` installs what is needed")
    return found


def _main() -> None:
    started = time.monotonic()

    def say(line: str) -> None:
        sys.stdout.write(f"[{time.monotonic() - started:4.0f} s] {line}\n")
        sys.stdout.flush()

    for archive in build_images(say):
        say(str(archive))


if __name__ == "__main__":
    _main()
