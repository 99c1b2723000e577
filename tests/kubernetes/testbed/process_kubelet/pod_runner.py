"""The life of one pod on its node, from admission to the deletion of its object, in a thread of its own."""

import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.kubernetes.testbed.api import STRATEGIC, Api, Document, Refused, path_of
from tests.kubernetes.testbed.process_kubelet.container import Container, now
from tests.kubernetes.testbed.process_kubelet.statuses import (
    Conditions,
    image_fault,
    pod_status,
    quantity,
    requested,
)
from tests.kubernetes.testbed.process_kubelet.translation import CannotConfigure, NotYet, Translation

RETRY_S = 0.2
LONG_RETRY_S = 1.0
DEFAULT_GRACE_S = 30
PROBE_S = 0.2


@dataclass(frozen=True, slots=True)
class Household:
    """What all pods of a kubelet share."""

    api: Api
    folder: Path
    admit: Callable[["PodRunner"], Document | None]
    """Returns the status of a pod that is refused, None for one that is admitted."""
    is_dead: Callable[[str], bool]
    """Says whether a node of this name does nothing any more."""
    image_environment: Mapping[str, str]
    absent_images: frozenset[str]


class PodRunner:
    """Runs one pod. It hears of every change of its object by `update`, and of its end by `vanish`."""

    def __init__(self, household: Household, pod: Document) -> None:
        metadata = pod["metadata"]
        self.uid = str(metadata["uid"])
        self.key = (str(metadata["namespace"]), str(metadata["name"]))
        self.node = str(pod["spec"]["nodeName"])
        self.containers = [self._container(one) for one in pod["spec"]["containers"]]
        self.init_containers = [self._container(one) for one in pod["spec"].get("initContainers", ())]
        self.requests = requested(pod)
        self.was_admitted = False
        self.is_over = False
        self._household = household
        self._pod = pod
        self._path = path_of("pods", self.key[1], namespace=self.key[0])
        self._folder = household.folder / self.uid
        self._conditions = Conditions()
        self._woken = threading.Event()
        self._is_vanished = False
        self._started = datetime.now(UTC)
        self._started_at = now()
        self._kill_at: float | None = None
        self._grace_seen: int | None = None
        self._why: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name=f"pod-{self.key[1]}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the end."""
        self._thread.join(timeout_s)

    def update(self, pod: Document) -> None:
        """Take a newer version of the object."""
        self._pod = pod
        self._woken.set()

    def vanish(self) -> None:
        """The object is gone, or the kubelet ends: kill what runs, tell nobody."""
        self._is_vanished = True
        self._woken.set()

    def find(self, name: str) -> Container | None:
        """Return a container by name."""
        return next((one for one in (*self.containers, *self.init_containers) if one.name == name), None)

    def check_memory(self, resident_mib: Mapping[int, int]) -> None:
        """Kill each container that holds more than its limit."""
        for document in self._pod["spec"]["containers"]:
            limit = document.get("resources", {}).get("limits", {}).get("memory")
            container = self.find(document["name"])
            held_mib = resident_mib.get(container.pid or 0, 0) if container is not None else 0
            if limit and container is not None and held_mib * 1024 * 1024 > quantity(limit):
                container.was_out_of_memory = True
                container.kill()

    def _container(self, document: Document) -> Container:
        return Container(document, str(self.uid), self._wake)

    def _wake(self) -> None:
        self._woken.set()

    def _run(self) -> None:
        try:
            if not self._must_end():
                refused = self._ask_for_admission()
                if refused is not None:
                    self._send(refused)
                elif self.was_admitted:
                    self._live()
            self.is_over = True
            while not self._is_going() and not self._is_vanished:
                self._rest(None)
            self._remove()
        finally:
            self.is_over = True
            shutil.rmtree(self._folder, ignore_errors=True)

    def _ask_for_admission(self) -> Document | None:
        while not self._must_end():
            try:
                return self._household.admit(self)
            except (OSError, Refused):
                self._rest(RETRY_S)
        return None

    def _live(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._tell()
        translation = Translation(self._household.api, self._pod, self._folder, self._household.image_environment)
        is_ready = self._prepare(translation) and self._initialise(translation)
        if is_ready and self._start(self.containers, translation, "containers"):
            self._tell()
            self._attend(self.containers)
        has_ended = all(container.exit_code is not None for container in self.containers)
        cut_short = {"phase": "Failed"} if self._is_going() and not has_ended else {}
        self._tell(**(cut_short | self._why))

    def _prepare(self, translation: Translation) -> bool:
        """Wait for images and volumes; say whether the pod may start."""
        while not self._must_end():
            faults = [(one, self._image_fault(one)) for one in (*self.init_containers, *self.containers)]
            for container, fault in faults:
                if fault is not None:
                    container.waiting = fault
            if any(fault for _, fault in faults):
                self._tell()
                self._rest(None)
                continue
            try:
                translation.make_volumes()
            except NotYet as error:
                self._event("FailedMount", f"MountVolume.SetUp failed: {error}")
            except (OSError, Refused):
                pass
            else:
                return True
            self._rest(RETRY_S)
        return False

    def _initialise(self, translation: Translation) -> bool:
        for container in self.init_containers:
            if not self._start([container], translation, "initContainers"):
                return False
            self._tell()
            self._attend([container])
            if container.exit_code != 0 or self._must_end():
                return False
        return True

    def _start(self, containers: list[Container], translation: Translation, kind: str) -> bool:
        documents = {document["name"]: document for document in self._pod["spec"][kind]}
        for container in containers:
            launch = None
            while launch is None:
                try:
                    launch = translation.launch(documents[container.name])
                except CannotConfigure as error:
                    container.waiting = {"reason": "CreateContainerConfigError", "message": str(error)}
                    self._tell()
                    self._rest(LONG_RETRY_S)
                except (OSError, Refused):
                    self._rest(RETRY_S)
                if launch is None and self._must_end():
                    return False
            if shutil.which(launch.command[0], path=launch.environment["PATH"]) is None:
                container.cannot_start(f'exec: "{launch.command[0]}": executable file not found in $PATH')
            else:
                container.start(launch.command, launch.environment, launch.folder)
        return True

    def _attend(self, containers: list[Container]) -> None:
        """Stay until all these containers have ended, ending them when the pod must end."""
        told = _shown(containers)
        while any(container.exit_code is None for container in containers):
            if self._must_end() and (self._is_vanished or not self._household.is_dead(self.node)):
                self._end(containers)
            self._rest(self._time_left())
            for container in containers:
                container.ask()
            seen = _shown(containers)
            if seen != told and any(container.exit_code is None for container in containers):
                self._tell()
            told = seen

    def _end(self, containers: list[Container]) -> None:
        grace_s = self._grace_s()
        is_first = self._kill_at is None
        if is_first or grace_s != self._grace_seen:
            at = time.monotonic() + grace_s
            self._kill_at = at if self._kill_at is None else min(self._kill_at, at)
            self._grace_seen = grace_s
        for container in containers:
            if is_first:
                container.terminate()
            if self._kill_at is not None and (self._is_vanished or time.monotonic() >= self._kill_at):
                container.kill()

    def _grace_s(self) -> int:
        if self._is_going():
            return int(self._pod["metadata"].get("deletionGracePeriodSeconds") or 0)
        return int(self._pod["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE_S))

    def _must_end(self) -> bool:
        """Say whether the pod must end: it is deleted, gone, or past its deadline."""
        left = self._deadline_left()
        if left is not None and left <= 0 and not self._why:
            message = "Pod was active on the node longer than the specified deadline"
            self._why = {"phase": "Failed", "reason": "DeadlineExceeded", "message": message}
        return self._is_vanished or self._is_going() or bool(self._why)

    def _is_going(self) -> bool:
        return "deletionTimestamp" in self._pod["metadata"]

    def _deadline_left(self) -> float | None:
        limit = self._pod["spec"].get("activeDeadlineSeconds")
        return None if limit is None else float(limit) - (datetime.now(UTC) - self._started).total_seconds()

    def _time_left(self) -> float | None:
        """Return when to look again at the latest."""
        times = [] if self._kill_at is None else [self._kill_at - time.monotonic()]
        deadline = self._deadline_left()
        if deadline is not None and not self._why:
            times.append(deadline)
        if any(container.probe is not None for container in self.containers):
            times.append(PROBE_S)
        if self._household.is_dead(self.node):
            times = [RETRY_S]
        return max(min(times), 0.01) if times else None

    def _rest(self, longest_s: float | None) -> None:
        """Wait for a change."""
        self._woken.wait(longest_s)
        self._woken.clear()

    def _image_fault(self, container: Container) -> Document | None:
        documents = (*self._pod["spec"].get("initContainers", ()), *self._pod["spec"]["containers"])
        image = next(str(one.get("image", "")) for one in documents if one["name"] == container.name)
        return image_fault(image, self._household.absent_images)

    def _tell(self, **more: str) -> None:
        told = pod_status(self.containers, self.init_containers, self._conditions, started_at=self._started_at, **more)
        self._send(told)

    def _send(self, status: Document) -> None:
        body = {"metadata": {"uid": self.uid}, "status": status}
        while not self._is_vanished:
            if self._household.is_dead(self.node):
                self._rest(RETRY_S)
                continue
            try:
                self._household.api.patch(f"{self._path}/status", body, kind=STRATEGIC)
            except Refused:
                return
            except OSError:
                self._rest(RETRY_S)
            else:
                return

    def _remove(self) -> None:
        """Delete the object for good, now that nothing of it runs."""
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
        while not self._is_vanished:
            if not self._household.is_dead(self.node):
                try:
                    return self._household.api.delete(self._path, body)
                except Refused:
                    return None
                except OSError:
                    pass
            self._rest(RETRY_S)
        return None

    def _event(self, reason: str, message: str) -> None:
        namespace, name = self.key
        involved = {"kind": "Pod", "apiVersion": "v1", "namespace": namespace, "name": name, "uid": self.uid}
        event = {
            "metadata": {"generateName": f"{name[:200]}.", "namespace": namespace},
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            "type": "Warning",
            "source": {"component": "kubelet", "host": self.node},
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            "count": 1,
        }
        try:
            self._household.api.create(path_of("events", namespace=namespace), event)
        except (OSError, Refused):
            return


def _shown(containers: list[Container]) -> list[tuple[int | None, bool]]:
    return [(container.exit_code, container.is_good) for container in containers]
