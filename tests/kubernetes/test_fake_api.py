"""What only the fake can do: faults on request, scripted pods, logs."""

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.eventually import eventually
from tests.kubernetes.either_server import GATE, Document, events, on_node, pod, refusal
from tests.kubernetes.fake_api.faults import Denial
from tests.kubernetes.fake_api.kubelet import NEVER_S, PodScript
from tests.kubernetes.fake_api.server import NAMESPACE, FakeApi, Security
from tests.kubernetes.fake_api.watching import Trouble
from tests.kubernetes.testbed.api import Api, path_of, trusting

SOON_S = 10.0
PODS = path_of("pods", namespace=NAMESPACE)
MAPS = path_of("configmaps", namespace=NAMESPACE)
GATED = {"schedulingGates": [GATE]}


@pytest.fixture
def fake() -> Iterator[FakeApi]:
    with FakeApi(bookmark_every_s=0.05) as fake:
        yield fake


@pytest.fixture
def api(fake: FakeApi) -> Iterator[Api]:
    api = Api(fake.url)
    yield api
    api.close()


def scripted(script: PodScript) -> FakeApi:
    fake = FakeApi(schedules=True, script=lambda _: script)
    fake.add_node("n1")
    return fake


def watching(fake: FakeApi, number: int = 1) -> None:
    eventually(lambda: len(fake.watches()) == number, within_s=SOON_S, what=f"{number} watches")


def test_the_next_requests_of_a_path_are_answered_with_an_error(fake: FakeApi, api: Api) -> None:
    fault = fake.faults.answer(429, times=2, method="POST", path="/pods$", retry_after_s=7)

    first, second = (refusal(api.create, PODS, pod("a", **GATED)) for _ in range(2))
    api.get(PODS)
    api.create(PODS, pod("a", **GATED))

    assert (first.status, second.status, first.reason, fault.hits) == (429, 429, "TooManyRequests", 2)
    assert len(fake.calls("POST", "/pods")) == 3


def test_an_error_may_carry_when_to_come_back(fake: FakeApi) -> None:
    fake.faults.answer(503, retry_after_s=7)

    with socket.create_connection(("127.0.0.1", int(fake.url.rpartition(":")[2])), timeout=5) as connection:
        connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: fake\r\nConnection: close\r\n\r\n")
        answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 7\r\n" in answer


def test_an_answer_may_be_lost_after_the_deed(fake: FakeApi, api: Api) -> None:
    fake.faults.add(method="POST", path="/configmaps", drops=True, is_done_first=True)

    with pytest.raises(OSError, match="POST"):
        api.create(MAPS, {"metadata": {"name": "a"}})

    assert fake.get("configmaps", "a")


def test_a_request_may_be_lost_before_the_deed(fake: FakeApi, api: Api) -> None:
    fake.faults.add(method="POST", path="/configmaps", drops=True)

    with pytest.raises(OSError, match="POST"):
        api.create(MAPS, {"metadata": {"name": "a"}})

    assert fake.get("configmaps", "a") is None


def test_an_answer_may_be_garbage_or_late(fake: FakeApi, api: Api) -> None:
    fake.faults.add(path="/pods", body=b'{"kind":')
    assert api.get(PODS) == {"text": '{"kind":'}

    fake.faults.add(path="/pods", delay_s=0.2)
    begun = time.monotonic()
    assert api.get(PODS)["items"] == []
    assert time.monotonic() - begun >= 0.2


def test_a_hanging_request_ends_with_the_server(fake: FakeApi, api: Api) -> None:
    fault = fake.faults.add(path="/pods", hangs=True)
    ended: list[str] = []

    def ask() -> None:
        try:
            api.get(PODS)
        except OSError as error:
            ended.append(str(error))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    eventually(lambda: fault.hits, within_s=SOON_S)
    assert not ended
    fake.stop()
    thread.join(SOON_S)

    assert ended


def test_it_can_be_away_for_a_while_and_comes_back_as_it_was(fake: FakeApi, api: Api) -> None:
    api.create(MAPS, {"metadata": {"name": "a"}})
    url = fake.url
    watch = api.watch(MAPS, watch="true")
    watching(fake)

    fake.stop()
    with pytest.raises(OSError, match="GET"):
        api.get(MAPS)
    ended = list(watch)
    fake.start()

    assert fake.url == url
    assert [item["metadata"]["name"] for item in api.get(MAPS)["items"]] == ["a"]
    assert len(ended) <= 1


def test_a_watch_may_be_cut_in_the_middle_of_a_line(fake: FakeApi, api: Api) -> None:
    lines = iter(api.watch(MAPS, watch="true"))
    watching(fake)

    assert fake.trouble(Trouble.CUT, "configmaps") == 1
    piece, broken = b"", False
    try:
        piece = b"".join(lines)
    except OSError:
        broken = True

    assert broken or not piece.endswith(b"\n")


def test_a_watch_may_expire_or_end_properly(fake: FakeApi, api: Api) -> None:
    for trouble, wanted in ((Trouble.EXPIRE, ["ERROR"]), (Trouble.END, [])):
        watched = api.watch(MAPS, watch="true")
        watching(fake)
        fake.trouble(trouble)
        seen = [json.loads(line) for line in watched]

        assert [event["type"] for event in seen] == wanted
        assert all(event["object"]["code"] == 410 for event in seen)


def test_a_watch_may_bring_a_line_that_is_none(fake: FakeApi, api: Api) -> None:
    lines = iter(api.watch(MAPS, watch="true"))
    watching(fake)
    fake.trouble(b"{garbage\n")

    assert next(lines) == b"{garbage\n"


def test_a_frozen_watch_stays_open_and_silent(fake: FakeApi, api: Api) -> None:
    watch = api.watch(MAPS, watch="true", allowWatchBookmarks="true", silence_s=0.3)
    lines = iter(watch)
    assert json.loads(next(lines))["type"] == "BOOKMARK"
    fake.trouble(Trouble.FREEZE)
    eventually(lambda: fake.watches()[0].is_frozen, within_s=SOON_S)
    api.create(MAPS, {"metadata": {"name": "a"}})

    with pytest.raises(TimeoutError):
        list(lines)


def test_bookmarks_come_as_often_as_asked(fake: FakeApi, api: Api) -> None:
    api.create(MAPS, {"metadata": {"name": "a"}})
    version = str(fake.store.version)
    api.create(PODS, pod("a", **GATED))

    verb, bookmark = next(events(api, MAPS, {"allowWatchBookmarks": "true", "resourceVersion": version}))

    assert verb == "BOOKMARK"
    assert int(bookmark["metadata"]["resourceVersion"]) > int(version)


def test_a_running_watch_that_is_up_to_date_survives_a_compaction(fake: FakeApi, api: Api) -> None:
    watched = events(api, MAPS, {"resourceVersion": str(fake.store.version)})
    api.create(MAPS, {"metadata": {"name": "a"}})
    assert next(watched)[0] == "ADDED"

    fake.compact()
    api.create(MAPS, {"metadata": {"name": "b"}})

    assert next(watched)[1]["metadata"]["name"] == "b"


def test_admission_may_refuse_chosen_pods(fake: FakeApi, api: Api) -> None:
    fake.refuse_pods(lambda body: body["metadata"]["name"].endswith("-r1"), "no second rank", code=400)

    api.create(PODS, pod("a-r0", **GATED))
    refused = refusal(api.create, PODS, pod("a-r1", **GATED))

    assert refused.status == 400
    assert refused.body["message"] == 'admission webhook "policy.example.com" denied the request: no second rank'


def test_one_permission_may_be_missing(fake: FakeApi, api: Api) -> None:
    fake.denials.add(Denial("create", "pods", NAMESPACE))

    assert refusal(api.create, PODS, pod("a", **GATED)).status == 403
    assert api.get(PODS)["items"] == []


def test_a_wrong_token_is_unauthorised(tmp_path: Path) -> None:
    with FakeApi(token="right") as fake:
        wrong, right = Api(fake.url, token="wrong"), Api(fake.url, token="right")
        refused = refusal(wrong.get, PODS)

        assert (refused.status, refused.reason, refused.body["message"]) == (401, "Unauthorized", "Unauthorized")
        assert right.get(PODS)["items"] == []
        config = json.loads(fake.kubeconfig(tmp_path / "config").read_text())
        assert config["users"][0]["user"] == {"token": "right"}
        assert config["clusters"][0]["cluster"] == {"server": fake.url}
        wrong.close()
        right.close()


def test_it_speaks_tls_with_a_given_certificate(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    asked = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate)]
    names = ["-subj", "/CN=fake", "-days", "2", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*asked, *names], check=True, capture_output=True, timeout=60)

    with FakeApi(security=Security(certificate, key, certificate)) as fake:
        trusted, stranger = Api(fake.url, tls=trusting(certificate)), Api(fake.url, tls=ssl.create_default_context())
        assert trusted.get(PODS)["items"] == []
        with pytest.raises(OSError, match="certificate verify failed"):
            stranger.get(PODS)
        trusted.close()


def state(fake: FakeApi, name: str) -> Document:
    found = fake.get("pods", name) or {"status": {}}
    [status] = found["status"].get("containerStatuses") or [{"state": {}}]
    return {"phase": found["status"].get("phase"), **status["state"]}


def test_a_scripted_pod_runs_and_ends_with_its_code() -> None:
    with scripted(PodScript(runs_s=0.05, exit_code=3, log=b"one\ntwo\n")) as fake:
        api = Api(fake.url)
        api.create(PODS, pod("a", affinity=on_node("n1")))
        eventually(lambda: state(fake, "a")["phase"] == "Failed", within_s=SOON_S)

        assert state(fake, "a")["terminated"]["exitCode"] == 3
        log = f"{PODS}/a/log"
        assert api.text(log) == "one\ntwo\n"
        assert api.text(log, tailLines="1") == "two\n"
        assert api.text(log, limitBytes="5") == "one\nt"
        assert api.text(log, timestamps="true").splitlines()[0].endswith("Z one")
        api.close()


@pytest.mark.parametrize(
    ("script", "phase", "reason"),
    [
        (PodScript(waits="ImagePullBackOff", message="no such image"), "Pending", "ImagePullBackOff"),
        (PodScript(rejected="OutOfcpu", message="Node didn't have enough resource: cpu"), "Failed", "OutOfcpu"),
    ],
)
def test_a_scripted_pod_may_never_start(script: PodScript, phase: str, reason: str) -> None:
    with scripted(script) as fake:
        fake.create("pods", pod("a"))
        eventually(lambda: reason in str(fake.get("pods", "a")), within_s=SOON_S)

        assert state(fake, "a")["phase"] == phase
        assert "running" not in state(fake, "a")


@pytest.mark.parametrize(("script", "is_gone"), [(PodScript(), True), (PodScript(stops_after_s=NEVER_S), False)])
def test_a_running_pod_stops_when_it_is_deleted_unless_it_hangs(script: PodScript, *, is_gone: bool) -> None:
    with scripted(script) as fake:
        fake.create("pods", pod("a"))
        fake.create("pods", pod("b"))
        eventually(lambda: state(fake, "a")["phase"] == state(fake, "b")["phase"] == "Running", within_s=SOON_S)

        fake.delete("pods", "a")

        if is_gone:
            eventually(lambda: fake.get("pods", "a") is None, within_s=SOON_S)
        else:
            assert (fake.get("pods", "a") or {})["metadata"]["deletionTimestamp"]
        assert state(fake, "b")["phase"] == "Running"


def test_a_followed_log_ends_with_its_pod() -> None:
    with scripted(PodScript(log=b"one\n")) as fake:
        api = Api(fake.url)
        fake.create("pods", pod("a"))
        eventually(lambda: state(fake, "a")["phase"] == "Running", within_s=SOON_S)

        lines = iter(api.watch(f"{PODS}/a/log", follow="true"))
        first = next(lines)
        fake.logs.write(f"{NAMESPACE}/a", b"two\n")
        second = next(lines)
        fake.end_pod("a")

        assert (first, second, list(lines)) == (b"one\n", b"two\n", [])
        api.close()


def test_a_container_that_has_not_started_has_no_log(fake: FakeApi, api: Api) -> None:
    fake.create("pods", pod("a", nodeName="n1"))

    refused = refusal(api.get, f"{PODS}/a/log")

    assert (refused.status, refused.body["message"]) == (
        400,
        'container "main" in pod "a" is waiting to start: ContainerCreating',
    )
