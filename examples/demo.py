"""`make demo`: start Medley, submit the first training as tenant `demo`, follow it, and keep the server for more.

With ONCE=1 in the environment it ends by itself; its exit status then says whether the training worked.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path

from medley.client import Client
from medley.errors import ApiProblem, MedleyError, Unreachable

ROOT = Path(__file__).parents[1]
DATA_FOLDER = ROOT / ".medley" / "demo"
TOKEN_FILE = DATA_FOLDER / "demo.token"
INVENTORY = ROOT / "examples" / "clusters" / "mixed.yaml"
JOB_FILE = ROOT / "examples" / "jobs" / "first-training.yaml"
TENANT = "demo"
USUAL_PORT = 8080
READY_WITHIN_S = 60
STOP_WITHIN_S = 40
EXIT_INTERRUPTED = 130
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM)
LIVE_STATES = ["queued", "placed", "starting", "running", "stopping"]


class DemoFailed(Exception):
    """What went wrong, for people."""


def main() -> int:
    """Run the demonstration; return its exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    status = EXIT_INTERRUPTED
    try:
        with running_server() as address:
            try:
                introduce(address, tenant_token(address))
                status = follow_first_training()
                if os.environ.get("ONCE") != "1":
                    wait_for_interrupt(address)
            finally:
                stop_jobs(address)
    except (DemoFailed, MedleyError) as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return status


@contextmanager
def running_server() -> Iterator[str]:
    """Start the server, yield its address once it is ready, and stop it in the end."""
    DATA_FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    log_path = DATA_FOLDER / "server.log"
    port = free_port()
    command = [sys.executable, "-m", "medley", "serve", "--data-folder", str(DATA_FOLDER)]
    command += ["--inventory", str(INVENTORY), "--listen", f"127.0.0.1:{port}"]
    with ExitStack() as ending:
        # A session of its own: Ctrl-C reaches this script alone, which then ends the server in order.
        with log_path.open("ab") as log, interrupts_held_back():
            print(
                f"Starting Medley on SQLite with the simulated cluster of {INVENTORY.relative_to(ROOT)} ...", flush=True
            )
            server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
            )
            ending.callback(stop_server, server)
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(server, address, log_path)
        yield address


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Have Ctrl-C and SIGTERM raise KeyboardInterrupt at the end: what is started here is then known, and ended."""
    came: list[int] = []
    before = [(which, signal.signal(which, lambda number, _: came.append(number))) for which in ENDING_SIGNALS]
    try:
        yield
    finally:
        for which, handler in before:
            signal.signal(which, handler)
    if came:
        raise KeyboardInterrupt


def stop_server(server: subprocess.Popen[bytes]) -> None:
    """End the server in order, or by force where it takes too long."""
    server.terminate()
    try:
        server.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(STOP_WITHIN_S)
    print("Medley has stopped; its history is kept for the next `make demo`.", flush=True)


def free_port() -> int:
    """Return the usual port where it is free, else any free one."""
    for port in (USUAL_PORT, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as probe:
                return int(probe.getsockname()[1])
        except OSError:
            continue
    raise DemoFailed("no free port on 127.0.0.1")


def wait_until_ready(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Return once the server answers; raise DemoFailed with the end of its log where it does not."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise DemoFailed(f"the server did not start:\n{log.read_text()[-2000:]}")
        try:
            with Client(address, None, patience_s=0) as client:
                client.version()
                return
        except Unreachable:
            time.sleep(0.1)
    raise DemoFailed(f"the server was not ready within {READY_WITHIN_S} s; see {log}")


def operator_client(address: str) -> Client:
    """Return a client with the first start's operator token."""
    return Client(address, (DATA_FOLDER / "operator.token").read_text().strip())


def tenant_token(address: str) -> str:
    """Return the demo tenant's token: the one kept beside the database where it is still good, else a new one."""
    if TOKEN_FILE.exists() and is_good(address, kept := TOKEN_FILE.read_text().strip()):
        return kept
    with operator_client(address) as operator:
        try:
            operator.create_tenant(TENANT)
        except ApiProblem as problem:
            if problem.status != HTTPStatus.CONFLICT:
                raise
        token: str = operator.create_token({"name": "demo", "role": "tenant-admin", "tenant": TENANT})["secret"]
    TOKEN_FILE.unlink(missing_ok=True)
    TOKEN_FILE.touch(mode=0o600)
    TOKEN_FILE.write_text(token + "\n")
    return token


def is_good(address: str, token: str) -> bool:
    """Say whether the server knows a token."""
    try:
        with Client(address, token) as client:
            client.whoami()
    except ApiProblem:
        return False
    return True


def introduce(address: str, token: str) -> None:
    """Say where Medley is and how to log in, and have the `medley` command of this script use that login."""
    os.environ.update({"MEDLEY_ADDRESS": address, "MEDLEY_TOKEN": token})
    print(f"\nMedley is at {address}. To use it from another terminal as tenant {TENANT}:\n")
    print(f"    export PATH={shlex.quote(str(ROOT / '.venv' / 'bin'))}:$PATH")
    print(f"    medley login {address} --token - < {shlex.quote(str(TOKEN_FILE))}\n")
    print(f"In a browser: {address}/ shows all of it, live; log in there with what is in that file.\n")
    print(f"Submitting {JOB_FILE.relative_to(ROOT)}:\n")
    print("".join(f"    {line}\n" for line in JOB_FILE.read_text().splitlines()), flush=True)


def follow_first_training() -> int:
    """Submit the job with the `medley` command and follow it to its end; return the exit status."""
    command = [sys.executable, "-m", "medley", "submit", str(JOB_FILE), "--follow"]
    return subprocess.run(command, check=False).returncode


def wait_for_interrupt(address: str) -> None:
    """Keep the server until Ctrl-C, which raises KeyboardInterrupt."""
    print(f"\nMedley goes on at {address}; Ctrl-C stops it and everything it runs.", flush=True)
    signal.pause()


def stop_jobs(address: str) -> None:
    """Cancel what still runs and wait until its workers are gone: the demonstration leaves nothing behind."""
    with operator_client(address) as operator:
        for job in operator.jobs(state=LIVE_STATES):
            operator.cancel(job["id"])
        deadline = time.monotonic() + STOP_WITHIN_S
        while time.monotonic() < deadline and any(True for _ in operator.jobs(state=LIVE_STATES)):
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
