"""The files of one worker's folder, shared by supervisor and server.

    launch.json   the launch document, for the worker
    plan          what to run and within which limits, for the supervisor
    lock          held (flock) by whoever may write the two records below: the supervisor for all of its life
    started       which processes are the worker; appears, once and whole, before the worker's program runs
    ended         how the worker ended; appears, once and whole, when nothing of it is left
    output/       what the worker printed
    scratch/      the worker's home and working directory
    ../stop       the attempt is to end: when what still runs is killed, in seconds of this machine's monotonic clock

Records are fields `name=value`, each ended by a NUL, as in /proc/PID/environ: no argument and no variable can hold one.

A power failure spares `started`, `ended` and `stop`. The launch document and the plan are written anew before every
start and not read after it, so they are not waited for: that would be on the way to a worker's first line.
"""

import fcntl
import os

from scheduler.adapters.local.supervisor.processes import ProcessIdentity

LAUNCH = "launch.json"
PLAN = "plan"
LOCK = "lock"
STARTED = "started"
ENDED = "ended"
OUTPUT = "output"
SCRATCH = "scratch"
CRASH = "supervisor-error"
STOP = "stop"

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


class BrokenRecord(OSError):
    """A record is there and cannot be understood, as if its file could not be read."""


class Limits:
    """Within which bounds a worker runs."""

    __slots__ = ("grace_s", "memory_mib", "time_limit_s")

    def __init__(self, *, memory_mib: int, time_limit_s: int | None, grace_s: int) -> None:
        self.memory_mib = memory_mib
        self.time_limit_s = time_limit_s
        self.grace_s = grace_s
        """Between the request to end and the kill, where nothing else is said."""


class Plan:
    """What a supervisor is to run."""

    __slots__ = ("argv", "environment", "generation", "limits")

    def __init__(self, argv: list[str], environment: dict[str, str], *, generation: int, limits: Limits) -> None:
        self.argv = argv
        self.environment = environment
        self.generation = generation
        self.limits = limits

    def write(self, folder: str) -> None:
        """Write the record; it replaces an older one."""
        fields = [("generation", str(self.generation)), ("memory_mib", str(self.limits.memory_mib))]
        fields.append(("grace_s", str(self.limits.grace_s)))
        if self.limits.time_limit_s is not None:
            fields.append(("time_limit_s", str(self.limits.time_limit_s)))
        fields += [("argument", argument) for argument in self.argv]
        fields += [("variable", f"{name}={value}") for name, value in self.environment.items()]
        write_whole(folder, PLAN, _encode(fields))

    @classmethod
    def read(cls, folder: str) -> "Plan":
        """Return the record. Raises FileNotFoundError, BrokenRecord."""
        argv: list[str] = []
        environment: dict[str, str] = {}
        single: dict[str, str] = {}
        for name, value in _decode(_read(folder, PLAN)):
            if name == "argument":
                argv.append(value)
            elif name == "variable":
                variable, _, setting = value.partition("=")
                environment[variable] = setting
            else:
                single[name] = value
        try:
            limits = Limits(
                memory_mib=int(single["memory_mib"]),
                time_limit_s=int(single["time_limit_s"]) if "time_limit_s" in single else None,
                grace_s=int(single["grace_s"]),
            )
            return cls(argv, environment, generation=int(single["generation"]), limits=limits)
        except (KeyError, ValueError) as error:
            raise _broken(folder, PLAN) from error


class Started:
    """Which processes are a worker, and of which generation it is."""

    __slots__ = ("at_s", "child", "generation", "supervisor")

    def __init__(self, supervisor: ProcessIdentity, child: ProcessIdentity, *, generation: int, at_s: float) -> None:
        self.supervisor = supervisor
        self.child = child
        self.generation = generation
        self.at_s = at_s
        """Unix time."""

    def write(self, folder: str) -> None:
        """Write the record durably. Raises FileExistsError where there is one: the worker was started before."""
        fields = [("at_s", repr(self.at_s)), ("generation", str(self.generation))]
        for role, process in (("supervisor", self.supervisor), ("child", self.child)):
            fields += [(f"{role}_pid", str(process.pid)), (f"{role}_start", process.start)]
        temporary = _write_temporary(folder, STARTED, _encode(fields))
        _sync(temporary)
        try:
            os.link(temporary, os.path.join(folder, STARTED))
        finally:
            os.unlink(temporary)
        _sync(folder)

    @classmethod
    def read(cls, folder: str) -> "Started | None":
        """Return the record, None where the worker was never started. Raises BrokenRecord."""
        try:
            fields = dict(_decode(_read(folder, STARTED)))
        except FileNotFoundError:
            return None
        try:
            supervisor, child = (
                ProcessIdentity(int(fields[f"{role}_pid"]), fields[f"{role}_start"]) for role in ("supervisor", "child")
            )
            return cls(supervisor, child, generation=int(fields["generation"]), at_s=float(fields["at_s"]))
        except (KeyError, ValueError) as error:
            raise _broken(folder, STARTED) from error


class Ended:
    """How a worker ended."""

    __slots__ = ("at_s", "end", "exit_code")

    def __init__(self, end: str, exit_code: int | None, at_s: float) -> None:
        self.end = end
        """exited, stopped, time-limit, memory-limit or lost."""
        self.exit_code = exit_code
        """Minus the signal's number where one ended it; None where nobody knows."""
        self.at_s = at_s
        """Unix time."""

    def write(self, folder: str) -> None:
        """Write the record: durable and whole, or not there at all."""
        fields = [("end", self.end), ("at_s", repr(self.at_s))]
        if self.exit_code is not None:
            fields.append(("exit_code", str(self.exit_code)))
        write_durably(folder, ENDED, _encode(fields))

    @classmethod
    def read(cls, folder: str) -> "Ended | None":
        """Return the record, None where the worker did not end. Raises BrokenRecord."""
        try:
            fields = dict(_decode(_read(folder, ENDED)))
        except FileNotFoundError:
            return None
        try:
            exit_code = int(fields["exit_code"]) if "exit_code" in fields else None
            return cls(fields["end"], exit_code, float(fields["at_s"]))
        except (KeyError, ValueError) as error:
            raise _broken(folder, ENDED) from error


def read_stop(attempt_folder: str) -> float | None:
    """Return when the workers of an attempt that is to end are killed, by time.monotonic; None where it is not.

    A request that cannot be understood is one nevertheless, and its time has come.
    """
    try:
        return float(_read(attempt_folder, STOP))
    except FileNotFoundError:
        return None
    except ValueError:
        return 0.0


def write_stop(attempt_folder: str, kill_at_s: float) -> None:
    """Ask the workers of an attempt to end; the time replaces an earlier request's. Raises FileNotFoundError."""
    write_durably(attempt_folder, STOP, repr(kill_at_s).encode())


def try_lock(folder: str) -> int | None:
    """Take a worker's lock without waiting; None where somebody holds it. Closing the descriptor gives it back.

    The kernel gives it back too when its holder dies, so a free lock proves that no supervisor is alive.
    """
    descriptor = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def write_whole(folder: str, name: str, content: bytes) -> None:
    """Write a private file that others see whole or not at all; it replaces an older one.

    A power failure may leave it empty: for what is written anew before it is read.
    """
    os.rename(_write_temporary(folder, name, content), os.path.join(folder, name))


def write_durably(folder: str, name: str, content: bytes) -> None:
    """Write a private file that is there whole, after a power failure too, or not at all; it replaces an older one."""
    temporary = _write_temporary(folder, name, content)
    _sync(temporary)
    os.rename(temporary, os.path.join(folder, name))
    _sync(folder)


def _write_temporary(folder: str, name: str, content: bytes) -> str:
    path = os.path.join(folder, f".{name}.{os.urandom(6).hex()}")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    with open(descriptor, "wb") as file:
        file.write(content)
    return path


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(folder: str, name: str) -> bytes:
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


def _broken(folder: str, name: str) -> BrokenRecord:
    return BrokenRecord(f"{os.path.join(folder, name)} cannot be understood; was the disk full or did it fail?")


def _encode(fields: list[tuple[str, str]]) -> bytes:
    return b"".join(os.fsencode(f"{name}={value}") + b"\0" for name, value in fields)


def _decode(content: bytes) -> list[tuple[str, str]]:
    fields = (os.fsdecode(field).partition("=") for field in content.split(b"\0") if field)
    return [(name, value) for name, _, value in fields]
