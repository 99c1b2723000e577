"""Processes as the kernel tells of them: who is who, who descends from whom, how much memory they hold."""

import ctypes
import os
import signal

TYPE_CHECKING = False  # type checkers know the name; importing typing for it would take 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable

_SET_PARENT_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36
_PARENT_FIELD = 1
_SESSION_FIELD = 3
_START_FIELD = 19
"""Places in /proc/PID/stat, counted from the field after the name."""
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


class ProcessIdentity:
    """One process, for good: a process id is used again, together with the start time it is not."""

    __slots__ = ("pid", "start")

    def __init__(self, pid: int, start: str) -> None:
        self.pid = pid
        self.start = start
        """Clock ticks between the machine's boot and the process's start, and which boot it was."""

    def is_alive(self) -> bool:
        """Say whether this very process exists and is more than an unreaped entry."""
        fields = _stat(self.pid)
        return fields is not None and fields[0] not in "ZX" and _start(fields) == self.start

    def open(self) -> int | None:
        """Return a descriptor (pidfd) of this very process, None where it is gone. Raises OSError: none is free."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return None
        is_alive = False
        try:
            is_alive = self.is_alive()
        finally:
            if not is_alive:
                os.close(descriptor)
        return descriptor if is_alive else None

    def is_older_than(self, other: "ProcessIdentity") -> bool:
        """Say whether this process started before another one of the same boot; one of another boot counts as older."""
        ticks, _, boot = self.start.partition("@")
        other_ticks, _, other_boot = other.start.partition("@")
        return boot != other_boot or int(ticks) < int(other_ticks)

    def send(self, number: signal.Signals) -> None:
        """Signal this very process; without effect where it is gone. Raises OSError: not allowed, none is free."""
        descriptor = self.open()
        if descriptor is None:
            return
        try:
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            pass  # it ended meanwhile
        finally:
            os.close(descriptor)


class Relatives:
    """A process, and to whom it belongs."""

    __slots__ = ("parent", "process", "session")

    def __init__(self, process: ProcessIdentity, *, parent: int, session: int) -> None:
        self.process = process
        self.parent = parent
        self.session = session


def running() -> list[Relatives]:
    """Return every process that is more than an unreaped entry."""
    boot = _boot()
    found: list[Relatives] = []
    for entry in os.listdir("/proc"):
        fields = _stat(int(entry)) if entry.isdecimal() else None
        if fields is not None and fields[0] not in "ZX":
            process = ProcessIdentity(int(entry), f"{fields[_START_FIELD]}@{boot}")
            found.append(Relatives(process, parent=int(fields[_PARENT_FIELD]), session=int(fields[_SESSION_FIELD])))
    return found


def identify(pid: int) -> ProcessIdentity:
    """Return the identity of a process that exists. Raises ProcessLookupError."""
    fields = _stat(pid)
    if fields is None:
        raise ProcessLookupError(pid)
    return ProcessIdentity(pid, _start(fields))


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, whatever session it is in."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have the kernel kill this process the moment its parent ends."""
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def children(parent: int) -> list[int]:
    """Return the ids of the processes whose parent is `parent`; nothing where it is gone."""
    return _children_reader()(parent)


def descendants(root: int) -> list[int]:
    """Return the ids of all processes below `root`, parents first."""
    children_of = _children_reader()
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children_of(waiting.pop(0))
        found += below
        waiting += below
    return found


def memory_mib(pids: list[int]) -> int:
    """Return the resident memory of processes, pages that they share counted for each."""
    return sum(_resident_kib(pid) for pid in pids) // 1024


def proportional_memory_mib(pids: list[int]) -> int:
    """Return the memory of processes, shared pages counted once in all; dearer to find out."""
    return sum(_proportional_kib(pid) for pid in pids) // 1024


def _prctl(option: int, argument: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, ctypes.c_ulong(argument), 0, 0, 0):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _stat(pid: int) -> list[str] | None:
    content = _read_process(pid, "stat")
    return content[content.rindex(b")") + 2 :].decode().split() if content else None


def _start(fields: list[str]) -> str:
    return f"{fields[_START_FIELD]}@{_boot()}"


def _boot() -> str:
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def _children_reader() -> "Callable[[int], list[int]]":
    """Return what finds a process's children: the kernel's own list where it keeps one, else a table made now."""
    if os.path.exists("/proc/thread-self/children"):
        return _listed_children
    return _scanned_children()


def _listed_children(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for thread in threads for child in _read_process(pid, f"task/{thread}/children").split()]


def _scanned_children() -> "Callable[[int], list[int]]":
    table: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        fields = _stat(int(entry)) if entry.isdecimal() else None
        if fields is not None:
            table.setdefault(int(fields[_PARENT_FIELD]), []).append(int(entry))
    return lambda pid: table.get(pid, [])


def _resident_kib(pid: int) -> int:
    fields = _read_process(pid, "statm").split()
    return int(fields[1]) * _PAGE_KIB if fields else 0


def _proportional_kib(pid: int) -> int:
    for line in _read_process(pid, "smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1])
    return _resident_kib(pid)


def _read_process(pid: int, name: str) -> bytes:
    """Return a file of a process; nothing where the process is gone or hides it."""
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
