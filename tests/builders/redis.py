"""A Redis server for tests: a process of this machine that can be paused, killed and started again."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from scheduler.adapters.redis.link import RedisLink
from scheduler.adapters.redis.wake_up import RedisWakeUp
from scheduler.adapters.system.clock import SystemClock
from scheduler.adapters.system.wake_up import InProcessWakeUp
from tests.builders.eventually import eventually
from tests.kubernetes.testbed.processes import Program, free_ports

PROGRAM = "redis-server"
START_WITHIN_S = 20.0
PATIENCE_S = 30.0


class RedisServer:
    """A server on a loopback port that stays the same over restarts; it keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        (self.port,) = free_ports(1)
        arguments = [str(shutil.which(PROGRAM)), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)]
        keeping_nothing = ("--save", "", "--appendonly", "no", "--enable-debug-command", "local")
        self._program = Program([*arguments, *keeping_nothing], log=folder / "redis.log")

    @property
    def url(self) -> str:
        """The server's URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> Redis:
        """Return a client that waits long enough for a slow server."""
        return Redis.from_url(self.url, socket_timeout=PATIENCE_S, decode_responses=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._program.start()
        self._program.wait_until(self._answers, within_s=START_WITHIN_S)

    def wipe(self) -> None:
        """Remove all that it keeps, scripts included."""
        with self.client() as client:
            client.flushall()
            client.script_flush()

    def pause(self) -> None:
        """Stop its work: connections stay open, new ones are made, nothing is answered."""
        self._program.pause()

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._program.resume()

    def stall(self, *, times: int, each_s: float) -> None:
        """Have it do nothing for so long, again and again; in between it serves what has gathered."""
        with self.client() as client:
            for _ in range(times):
                client.execute_command("DEBUG", "SLEEP", each_s)

    def kill(self) -> None:
        """End it the hard way."""
        self._program.kill()

    def subscribers(self, channel: str) -> int:
        """Return how many listen to a channel."""
        with self.client() as client:
            return int(client.pubsub_numsub(channel)[0][1])

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """Start a server and end it whatever happens."""
    with tempfile.TemporaryDirectory(prefix="medley-redis-") as name:
        server = RedisServer(Path(name))
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextmanager
def linked(server: RedisServer, namespace: str) -> Iterator[RedisLink]:
    """Give a link to a server, as a process has one."""
    link = RedisLink(server.url, namespace, SystemClock())
    try:
        yield link
    finally:
        link.close()


@contextmanager
def listening(server: RedisServer, namespace: str) -> Iterator[RedisWakeUp]:
    """Give a wake-up that has subscribed, as a process has one."""
    with linked(server, namespace) as link:
        before = server.subscribers(link.name("hints"))
        here = InProcessWakeUp()
        greeted = here.waiter()
        wake_up = RedisWakeUp(link, here, SystemClock().monotonic_s)
        try:
            eventually(lambda: server.subscribers(link.name("hints")) > before, within_s=PATIENCE_S)
            assert greeted.wait(PATIENCE_S)
            greeted.close()
            yield wake_up
        finally:
            wake_up.close()
