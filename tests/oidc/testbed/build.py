"""Installs the OIDC server of the tests, or says that it is there: python -m tests.oidc.testbed.build.

The exit status is 1 where it cannot be installed; with `--if-possible` only where nothing may be skipped, so where
MEDLEY_NO_SKIPS or CI is set. It lies outside of the project, in a folder named by the hash of all that it is made of.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
FILES = ("issuer.mjs", "package.json", "package-lock.json")
INSTALL_TIMEOUT_S = 300
NEEDED = {"node": "(20 or newer) which it runs on", "npm": "which installs it"}


class CannotInstall(Exception):
    """The server cannot be installed here; the message says why and what to do."""


def folder() -> Path:
    """Return the folder in which the server lies when it is complete."""
    chosen = os.environ.get("MEDLEY_ISSUER_CACHE")
    cache = Path(chosen) if chosen else Path.home() / ".cache" / "medley" / "issuer"
    made_of = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES))
    return cache / made_of.hexdigest()[:16]


def obstacle() -> str | None:
    """Return what keeps the server from running here and what to do about it; None where nothing does."""
    if shutil.which("node") is None:
        return f"there is no `node`, {NEEDED['node']}: install it."
    return None if folder().is_dir() else "it is not installed: `make issuer` installs it, with npm."


def install() -> Path:
    """Install the server unless it is there, and return its folder. Raises CannotInstall."""
    if folder().is_dir():
        return folder()
    for program, purpose in NEEDED.items():
        if shutil.which(program) is None:
            raise CannotInstall(f"The OIDC server of the tests needs `{program}`, {purpose}, and there is none.")
    folder().parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder().parent, prefix="draft-"))
    try:
        for name in FILES:
            shutil.copy(HERE / name, draft)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=draft, check=False, timeout=INSTALL_TIMEOUT_S, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise CannotInstall(f"npm failed with status {done.returncode}; what it said is above.")
        if not folder().is_dir():  # nobody else was faster
            draft.rename(folder())
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder()


def main() -> int:
    """Install it and say so."""
    try:
        sys.stdout.write(f"The OIDC server of the tests is in {install()}.\n")
    except CannotInstall as error:
        sys.stderr.write(f"issuer: {error}\n")
        must = "--if-possible" not in sys.argv[1:] or os.environ.get("MEDLEY_NO_SKIPS") or os.environ.get("CI")
        return 1 if must else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
