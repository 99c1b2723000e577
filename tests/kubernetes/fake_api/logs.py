"""What containers have printed, read as `pods/log` reads it."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.kubernetes.fake_api import pods
from tests.kubernetes.fake_api.answers import Json, Refusal
from tests.kubernetes.fake_api.metadata import moment
from tests.kubernetes.fake_api.resources import PODS
from tests.kubernetes.fake_api.store import Store

FOLLOW_AT_MOST_S = 3600.0


@dataclass(slots=True)
class LogBook:
    """The logs of all pods by key. A pod's log goes with its name, as nothing here rotates."""

    store: Store
    _lines: dict[str, list[tuple[datetime, bytes]]] = field(default_factory=dict)

    def write(self, key: str, text: bytes) -> None:
        """Print something; the last line may lack its end."""
        with self.store.lock:
            lines = self._lines.setdefault(key, [])
            now = datetime.now(UTC)
            lines.extend((now, line) for line in text.splitlines(keepends=True))
            self.store.changed.notify_all()

    def check(self, pod: Json, options: Mapping[str, str]) -> bool:
        """Say whether there can be a log yet: no where the pod has no node. Raises Refusal (400)."""
        name, spec = pod["metadata"]["name"], pod["spec"]
        names = [container["name"] for _, container in pods.containers(spec)]
        asked = options.get("container", "")
        if asked and asked not in names:
            raise Refusal(400, f"container {asked} is not valid for pod {name}")
        if not asked and len(names) > 1:
            raise Refusal(400, f"a container name must be specified for pod {name}, choose one of: {names}")
        if not spec.get("nodeName"):
            return False
        container = asked or names[0]
        if options.get("previous") == "true":
            raise Refusal(400, f'previous terminated container "{container}" in pod "{name}" not found')
        statuses = [*_statuses(pod, "containerStatuses"), *_statuses(pod, "initContainerStatuses")]
        states = [status.get("state") or {} for status in statuses if status["name"] == container]
        waiting = (states[0].get("waiting") if states else None) or {"reason": "ContainerCreating"}
        if not states or "waiting" in states[0]:
            why = f"is waiting to start: {waiting.get('reason')}"
            raise Refusal(400, f'container "{container}" in pod "{name}" {why}')
        return True

    def read(self, key: str, options: Mapping[str, str]) -> bytes:
        """Return what is there, cut as the options ask for."""
        with self.store.lock:
            return _cut(self._lines.get(key, []), options)

    def follow(self, key: str, uid: str, options: Mapping[str, str]) -> Iterator[bytes]:
        """Yield what is there and what is added, until the pod has ended or is gone."""
        ends_at = time.monotonic() + FOLLOW_AT_MOST_S
        with self.store.lock:
            done = len(self._lines.get(key, []))
        if first := self.read(key, options):
            yield first
        plain = {name: value for name, value in options.items() if name == "timestamps"}
        while time.monotonic() < ends_at:
            with self.store.lock:
                lines = self._lines.get(key, [])
                news, done = lines[done:], len(lines)
                pod = self.store.get(PODS, key)
                is_over = pod is None or pod.document["metadata"]["uid"] != uid or pods.is_over(pod.document)
                if not news and not is_over:
                    self.store.changed.wait(1.0)
            if news:
                yield _cut(news, plain)
            elif is_over:
                return


def _statuses(pod: Json, part: str) -> list[Json]:
    statuses: list[Json] = (pod.get("status") or {}).get(part) or []
    return statuses


def _cut(lines: list[tuple[datetime, bytes]], options: Mapping[str, str]) -> bytes:
    if text := options.get("sinceTime"):
        lines = [line for line in lines if line[0] >= moment(text)]
    if text := options.get("sinceSeconds"):
        since = datetime.now(UTC) - timedelta(seconds=int(text))
        lines = [line for line in lines if line[0] >= since]
    if text := options.get("tailLines"):
        lines = lines[-int(text) :] if int(text) else []
    is_stamped = options.get("timestamps") == "true"
    printed = b"".join((_stamp(at) if is_stamped else b"") + line for at, line in lines)
    limit = options.get("limitBytes")
    return printed[: int(limit)] if limit else printed


def _stamp(at: datetime) -> bytes:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f000Z ").encode()
