"""What workers of the local cluster run in tests: a list of steps, given as the arguments of the job's command.

print TEXT       print a line
spew BYTES       print so many bytes that are not UTF-8, without a line's end
stubborn         ignore requests to end from here on
daemonise        leave a process behind, in a session of its own, that never ends; print its number
nameless         the same, without any of the worker's environment
undressed        leave a process behind, without the worker's environment; print its number
hold MIB         take so much memory
fork             go on as two processes
await PATH       wait until a file is there
touch PATH       append a line to a file
serve PATH       answer HTTP where the launch document says: 200 while a file is there, else 503
wait             run until somebody ends it
exit CODE        end
"""

import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable


def show(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def spew(count: str) -> None:
    """Print bytes that are not UTF-8."""
    left = int(count)
    while left:
        left -= os.write(1, b"\xff" * min(left, 65536))


def ignore_requests() -> None:
    """Ignore requests to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    show("stubborn")


def daemonise(environment: dict[str, str]) -> None:
    """Start a process that has left its parent, session and group, and say which."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        pid = os.fork()
        if pid:
            os.write(writer, str(pid).encode())
            os._exit(0)
        os.execve("/bin/sleep", ["sleep", "1000"], environment)
    os.wait()
    show(os.read(reader, 100).decode())


def undress() -> None:
    """Start a process that keeps nothing of the worker's but its session, and say which."""
    pid = os.fork()
    if pid == 0:
        os.execve("/bin/sleep", ["sleep", "1000"], {})
    show(str(pid))


def await_file(path: str) -> None:
    """Wait until a file is there."""
    while not os.path.exists(path):  # noqa: PTH110 - starts faster
        select.select([], [], [], 0.01)


def touch(path: str) -> None:
    """Leave this process's number in a file."""
    with open(path, "a") as file:  # noqa: PTH123 - starts faster
        file.write(f"{os.getpid()}\n")


def serve(path: str) -> None:
    """Answer whoever asks, one after another, until somebody ends it."""
    with open(os.environ["MEDLEY_LAUNCH"]) as file:  # noqa: PTH123 - starts faster
        document = json.load(file)
    own = document["ranks"][int(os.environ["MEDLEY_RANK"])] if "ranks" in document else document
    listener = socket.create_server((own["serving"]["host"], own["serving"]["port"]))
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            status = "200 OK" if os.path.exists(path) else "503 Not Ready"  # noqa: PTH110 - starts faster
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


HELD: list[bytes] = []
BY_ITSELF: dict[str, Callable[[], object]] = {
    "stubborn": ignore_requests,
    "daemonise": lambda: daemonise(dict(os.environ)),
    "nameless": lambda: daemonise({}),
    "undressed": undress,
    "fork": os.fork,
    "wait": signal.pause,
}
WITH_AN_ARGUMENT: dict[str, Callable[[str], object]] = {
    "print": show,
    "spew": spew,
    "hold": lambda mebibytes: HELD.append(b"x" * (int(mebibytes) * 1024 * 1024)),
    "await": await_file,
    "touch": touch,
    "serve": serve,
    "exit": lambda code: sys.exit(int(code)),
}


def own_steps() -> list[str]:
    """Return the steps of this worker's role, or the job's."""
    with open(os.environ["MEDLEY_LAUNCH"]) as file:  # noqa: PTH123 - starts faster
        gang = json.load(file)
    own = gang["ranks"][int(os.environ["MEDLEY_RANK"])] if "ranks" in gang else gang
    program = gang.get("roles", {}).get(own.get("role"), {}).get("program", gang["program"])
    return list(program["argv"])


def main() -> None:
    """Do the steps."""
    steps = iter(own_steps())
    for step in steps:
        if step in BY_ITSELF:
            BY_ITSELF[step]()
        else:
            WITH_AN_ARGUMENT[step](next(steps))


main()
