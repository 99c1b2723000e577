"""What workers of the local cluster run in tests: a list of steps, given as the arguments of the job's command.

print TEXT       print a line
spew BYTES       print so many bytes that are not UTF-8, without a line's end
stubborn         ignore requests to end from here on
daemonise        leave a process behind, in a session of its own, that never ends; print its number
nameless         the same, without any of the worker's environment
hold MIB         take so much memory
touch PATH       append a line to a file
wait             run until somebody ends it
exit CODE        end
"""

import json
import os
import signal
import sys


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
    print(os.read(reader, 100).decode(), flush=True)


def main() -> None:
    """Do the steps."""
    with open(os.environ["MEDLEY_LAUNCH"]) as file:  # noqa: PTH123 - starts faster
        launch = json.load(file)
    steps = iter(launch["program"]["argv"])
    held = []
    for step in steps:
        if step == "print":
            print(next(steps), flush=True)
        elif step == "spew":
            left = int(next(steps))
            while left:
                left -= os.write(1, b"\xff" * min(left, 65536))
        elif step == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("stubborn", flush=True)
        elif step == "daemonise":
            daemonise(dict(os.environ))
        elif step == "nameless":
            daemonise({})
        elif step == "hold":
            held.append(b"x" * (int(next(steps)) * 1024 * 1024))
        elif step == "touch":
            with open(next(steps), "a") as file:  # noqa: PTH123 - starts faster
                file.write(f"{os.getpid()}\n")
        elif step == "wait":
            signal.pause()
        elif step == "exit":
            sys.exit(int(next(steps)))


main()
