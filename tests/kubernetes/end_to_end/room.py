"""The first process of a real node's own namespaces of processes and mounts: python room.py FOLDER, run by `unshare`.

What the node starts or mounts ends with this process. Where its programs insist on places of the machine, they get
a copy that only they see, so that a run changes nothing there.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

WRITTEN_FOLDERS = ("/etc", "/run", "/usr/libexec", "/var/lib", "/var/log")
WRITTEN_SETTINGS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
"""Settings of the kernel that kubelet changes to its taste."""
MOUNT_TIMEOUT_S = 30


def main(folder: Path, *names: str) -> None:
    """Make the private copies, with further `names` of this machine, say so by the file `ready`, and stay."""
    for number, target in enumerate(WRITTEN_FOLDERS):
        upper, work = folder / "private" / str(number) / "upper", folder / "private" / str(number) / "work"
        upper.mkdir(parents=True)
        work.mkdir()
        _mount("-t", "overlay", "overlay", "-o", f"lowerdir={target},upperdir={upper},workdir={work}", target)
    for name in WRITTEN_SETTINGS:
        setting = Path("/proc/sys") / name
        if setting.exists():
            copy = folder / "private" / name.replace("/", "-")
            copy.write_text(setting.read_text())
            _mount("--bind", str(copy), str(setting))
    with Path("/etc/hosts").open("a") as hosts:
        hosts.write("".join(f"\n127.0.0.1 {name}" for name in names) + "\n")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    (folder / "ready").touch()
    while signal.sigwait({signal.SIGCHLD}):
        _bury_orphans()


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, timeout=MOUNT_TIMEOUT_S)


def _bury_orphans() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
