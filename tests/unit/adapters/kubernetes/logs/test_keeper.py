from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from scheduler.adapters.kubernetes.configuration.cluster import LogLimits
from scheduler.adapters.kubernetes.logs import LogKeeper, following
from scheduler.adapters.kubernetes.logs.following import UNREAD_S
from scheduler.adapters.kubernetes.logs.keeper import GENERAL_FAILURES
from scheduler.adapters.kubernetes.transport import ApiFault, Unreachable
from scheduler.adapters.kubernetes.views import PodView
from scheduler.core.model.identifiers import WorkerKey
from scheduler.ports.cluster import LogChunk
from tests.builders.eventually import eventually
from tests.unit.adapters.kubernetes.logs.printing import ATTEMPT, WORKER, Printed, Printing, running

PATIENCE_S = 20


class Bench:
    """A keeper, the log it reads, and a clock that a test turns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now_s = 1000.0
        self.printed = Printed()
        self.pod: PodView | None = running()
        self.keeper = self.start()

    def start(self, limits: LogLimits | None = None) -> LogKeeper:
        self.keeper = LogKeeper(self.printed, self.folder, limits=limits or LogLimits(), monotonic=lambda: self.now_s)
        return self.keeper

    def read(self, offset: int = 0, limit: int = 65_536) -> LogChunk:
        return self.keeper.read(WORKER, self.pod, offset=offset, limit=limit)

    def text(self, want: str) -> str:
        """Wait until all output together contains `want`."""
        return eventually(lambda: text if want in (text := self.read().text) else "", within_s=PATIENCE_S)

    def end(self) -> None:
        """End the container, as the watch then sees it."""
        self.printed.end()
        assert self.pod is not None
        self.pod = over(self.pod)


def over(pod: PodView) -> PodView:
    assert pod.container is not None
    return replace(pod, phase="Succeeded", container=replace(pod.container, running_since=None, has_ended=True))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "logs")
    yield bench
    bench.keeper.close()


def fault(status: int, message: str = "no") -> ApiFault:
    return ApiFault(status, message=message)


def test_output_of_a_running_worker_is_there_at_the_first_reading_and_not_complete(bench: Bench) -> None:
    bench.printed.line("hello")

    chunk = bench.read()

    assert (chunk.text, chunk.start, chunk.end, chunk.is_complete) == ("hello\n", 0, 6, False)
    assert bench.printed.paths[0] == f"/api/v1/namespaces/medley-jobs/pods/{ATTEMPT}-r0/log"
    assert bench.printed.queries[0] == {"container": "worker", "timestamps": "true"}


def test_what_is_printed_later_comes_later(bench: Bench) -> None:
    bench.printed.line("one")
    bench.read()
    eventually(lambda: bench.printed.followed == 1, within_s=PATIENCE_S)

    bench.printed.line("two")

    assert bench.text("two") == "one\ntwo\n"


def test_one_worker_has_one_follower_however_often_it_is_read(bench: Bench) -> None:
    for _ in range(20):
        bench.read()

    eventually(lambda: bench.printed.followed == 1, within_s=PATIENCE_S)
    assert len(bench.printed.queries) == 2


def test_output_of_an_ended_worker_is_read_piece_by_piece_to_its_end(bench: Bench) -> None:
    bench.printed.line("first")
    bench.printed.line("second")
    bench.end()

    first, second = bench.read(limit=6), bench.read(6)
    third = bench.read(13)

    assert (first.text, first.start, first.end, first.is_complete) == ("first\n", 0, 6, False)
    assert (second.text, second.start, second.end, second.is_complete) == ("second\n", 6, 13, True)
    assert (third.text, third.start, third.end, third.is_complete) == ("", 13, 13, True)
    assert len(bench.printed.queries) == 1


def test_a_character_is_not_cut_in_two(bench: Bench) -> None:
    bench.printed.line("aé€")
    bench.end()

    first = bench.read(limit=5)
    second = bench.read(first.end, limit=5)

    assert [first.text, second.text] == ["aé", "€\n"]


def test_bytes_that_are_no_characters_are_marked(bench: Bench) -> None:
    bench.printed.line(b"a\xffb")
    bench.end()

    assert bench.read().text == "a\ufffdb\n"


@pytest.mark.parametrize("attempt", [ATTEMPT, "../../etc", "", "a/b"])
def test_output_of_an_unknown_worker_is_empty_and_not_complete(bench: Bench, attempt: str) -> None:
    chunk = bench.keeper.read(WorkerKey(attempt, 0), None, offset=0, limit=10)

    assert (chunk.text, chunk.is_complete) == ("", False)
    assert not bench.folder.exists()


def test_a_pod_whose_container_did_not_start_is_not_asked_for(bench: Bench) -> None:
    bench.pod = replace(running(), container=None, phase="Pending")

    assert bench.read().is_complete is False
    assert bench.printed.queries == []


def test_an_ended_worker_that_never_ran_has_no_output_and_is_complete(bench: Bench) -> None:
    bench.pod = replace(running(), container=None, phase="Failed", reason="OutOfcpu")

    assert bench.keeper.collect(WORKER, bench.pod)
    assert (bench.read().text, bench.read().is_complete) == ("", True)
    assert bench.printed.queries == []


def test_a_megabyte_in_one_line_comes_whole(bench: Bench) -> None:
    bench.printed.line("x" * 1_000_000)
    bench.end()

    chunk = bench.read(limit=2_000_000)

    assert (len(chunk.text), chunk.is_complete) == (1_000_001, True)


def test_a_line_without_an_end_comes_as_it_grows(bench: Bench) -> None:
    bench.printed.line("10%", is_whole=False)
    bench.text("10%")
    eventually(lambda: bench.printed.followed == 1, within_s=PATIENCE_S)

    bench.printed.more(b"\r20%")

    assert bench.text("20%") == "10%\r20%"


def test_a_cut_connection_loses_and_repeats_nothing(bench: Bench) -> None:
    bench.printed.line("one")
    bench.read()
    eventually(lambda: bench.printed.followed == 1, within_s=PATIENCE_S)

    bench.printed.cut()
    bench.printed.line("two")

    assert bench.text("two") == "one\ntwo\n"
    assert "sinceTime" in bench.printed.queries[-1]


def test_an_answer_that_breaks_in_a_line_is_taken_on_in_it(bench: Bench) -> None:
    bench.printed.line("hello there")
    bench.printed.breaks_after = 36
    bench.read()

    assert bench.text("there") == "hello there\n"


def test_a_restart_goes_on_where_it_was(bench: Bench) -> None:
    bench.printed.line("one")
    bench.text("one")
    bench.keeper.close()
    bench.printed.line("two")

    bench.start()

    assert bench.text("two") == "one\ntwo\n"


def test_what_was_written_but_not_recorded_before_a_kill_is_fetched_again_and_once(bench: Bench) -> None:
    bench.printed.line("one")
    bench.text("one")
    bench.keeper.close()
    segment = next(bench.folder.rglob("00*"))
    segment.write_bytes(segment.read_bytes() + b"two\nhal")
    bench.printed.line("two")
    bench.printed.line("half")

    bench.start()

    assert bench.text("half") == "one\ntwo\nhalf\n"


def test_a_damaged_record_means_that_all_is_fetched_again(bench: Bench) -> None:
    bench.printed.line("one")
    bench.text("one")
    bench.keeper.close()
    next(bench.folder.rglob("record.json")).write_text("{")

    bench.start()

    assert bench.text("one") == "one\n"


def test_collected_output_stays_readable_when_the_pod_is_gone(bench: Bench) -> None:
    bench.printed.line("one")
    bench.end()

    assert bench.keeper.collect(WORKER, bench.pod)
    bench.pod = None
    bench.start()

    chunk = bench.read()
    assert (chunk.text, chunk.is_complete) == ("one\n", True)


def test_collecting_twice_asks_once(bench: Bench) -> None:
    bench.end()

    assert bench.keeper.collect(WORKER, bench.pod)
    assert bench.keeper.collect(WORKER, bench.pod)

    assert len(bench.printed.queries) == 1


def test_collecting_ends_the_follower_and_takes_what_it_missed(bench: Bench) -> None:
    bench.printed.line("one")
    bench.read()
    eventually(lambda: bench.printed.followed == 1, within_s=PATIENCE_S)
    pod = over(running())
    bench.printed.has_ended = True  # the open answer says nothing more: it is half open
    bench.printed._lines.append((5 * 10**9, b"2026-11-21T12:00:05.000000000Z two\n"))

    assert bench.keeper.collect(WORKER, pod)

    assert bench.read().text == "one\ntwo\n"
    assert bench.printed.followed == 0


def test_last_words_are_kept_when_the_pod_is_gone(bench: Bench) -> None:
    assert bench.pod is not None
    bench.keeper.follow_before_stop([bench.pod])
    eventually(lambda: bench.printed.followed == 1, within_s=PATIENCE_S)

    bench.printed.line("checkpoint written")
    bench.printed.end()
    bench.printed.refusal = fault(404)

    assert bench.keeper.collect(WORKER, None)
    chunk = bench.keeper.read(WORKER, None, offset=0, limit=100)
    assert (chunk.text, chunk.is_complete) == ("checkpoint written\n", True)


def test_output_that_was_not_read_before_the_pod_was_gone_is_marked(bench: Bench) -> None:
    assert bench.keeper.collect(WORKER, None)

    chunk = bench.keeper.read(WORKER, None, offset=0, limit=100)
    assert chunk.text == "[medley] the rest cannot be read: its pod is gone\n"
    assert chunk.is_complete


def test_a_node_that_does_not_answer_is_given_up_after_three_tries(bench: Bench) -> None:
    bench.end()
    bench.printed.refusal = fault(500, "dial tcp 10.0.0.1:10250: connection refused")
    answers = []

    for _ in range(3):
        answers.append(bench.keeper.collect(WORKER, bench.pod))
        bench.now_s += 1

    assert answers == [False, False, True]
    chunk = bench.read()
    assert chunk.text.startswith("[medley] the rest cannot be read: 500: dial tcp")
    assert chunk.is_complete


def test_where_no_node_answers_one_try_each_has_to_do(bench: Bench) -> None:
    bench.printed.refusal = fault(500, "no tunnel to the nodes")
    for rank in range(GENERAL_FAILURES):
        bench.keeper.collect(WorkerKey(ATTEMPT, rank), over(running(WorkerKey(ATTEMPT, rank))))
    late, later = WorkerKey(ATTEMPT, 100), WorkerKey(ATTEMPT, 101)

    assert bench.keeper.collect(late, over(running(late)))

    bench.printed.refusal = None
    assert bench.keeper.collect(later, over(running(later)))
    bench.now_s += 1
    bench.printed.refusal = fault(500)
    assert not bench.keeper.collect(WORKER, over(running()))


def test_tries_are_not_closer_than_a_second(bench: Bench) -> None:
    bench.end()
    bench.printed.refusal = fault(500)

    for _ in range(10):
        assert not bench.keeper.collect(WORKER, bench.pod)

    assert len(bench.printed.queries) == 1


@pytest.mark.parametrize("refusal", [Unreachable("nobody there"), fault(429), fault(401)])
def test_an_api_server_that_cannot_be_asked_is_waited_for(bench: Bench, refusal: ApiFault | Unreachable) -> None:
    bench.end()
    bench.printed.refusal = refusal

    for _ in range(10):
        assert not bench.keeper.collect(WORKER, bench.pod)
        bench.now_s += 1

    bench.printed.refusal = None
    bench.printed.line("late")
    assert bench.keeper.collect(WORKER, bench.pod)
    assert bench.read().text == "late\n"


def test_a_missing_permission_is_told_in_the_output_and_blocks_nothing(bench: Bench) -> None:
    bench.end()
    bench.printed.refusal = fault(403, 'cannot get resource "pods/log"')

    assert bench.keeper.collect(WORKER, bench.pod)

    assert 'cannot get resource "pods/log"' in bench.read().text


def test_the_kubelets_own_complaint_is_no_output(bench: Bench) -> None:
    bench.printed._lines.append((0, b"unable to retrieve container logs for containerd://abc"))
    bench.end()

    for _ in range(3):
        bench.keeper.collect(WORKER, bench.pod)
        bench.now_s += 1

    assert bench.read().text.startswith("[medley] the rest cannot be read: unable to retrieve")


def test_a_follower_that_nobody_reads_ends(bench: Bench) -> None:
    bench.read()
    eventually(lambda: bench.printed.followed == 1, within_s=PATIENCE_S)

    bench.now_s += UNREAD_S
    bench.printed.line("unread")

    eventually(lambda: bench.printed.followed == 0, within_s=PATIENCE_S)
    assert bench.text("unread") == "unread\n"


def test_what_a_follower_that_ended_early_did_not_hear_is_marked(bench: Bench) -> None:
    bench.printed.line("heard")
    bench.read()
    eventually(lambda: bench.printed.followed == 1, within_s=PATIENCE_S)
    bench.now_s += UNREAD_S
    bench.printed.line("more")
    eventually(lambda: bench.printed.followed == 0, within_s=PATIENCE_S)

    assert eventually(lambda: bench.keeper.collect(WORKER, None), within_s=PATIENCE_S)

    text = bench.keeper.read(WORKER, None, offset=0, limit=1000).text
    assert text == "heard\nmore\n[medley] the rest cannot be read: its pod is gone\n"


def test_output_whose_fetching_was_closed_is_not_complete(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.printed.line("half of it")
    bench.end()
    answer = bench.printed.stream

    def answer_and_close(path: str, *, query: Mapping[str, str], silence_s: float, accept: str) -> Printing:
        bench.keeper.close()
        return answer(path, query=query, silence_s=silence_s, accept=accept)

    monkeypatch.setattr(bench.printed, "stream", answer_and_close)

    assert not bench.keeper.collect(WORKER, bench.pod)
    monkeypatch.undo()
    bench.start()
    bench.printed.line("the rest")
    assert bench.keeper.collect(WORKER, bench.pod)
    assert bench.read().text == "half of it\nthe rest\n"


def test_another_pod_of_the_same_name_adds_nothing(bench: Bench) -> None:
    bench.printed.line("mine")
    bench.text("mine")
    bench.keeper.close()
    bench.start()
    bench.printed.line("another's")
    bench.pod = over(running(uid="uid-2"))

    assert bench.keeper.collect(WORKER, bench.pod)

    assert "another's" not in bench.read().text


def test_only_the_newest_output_of_a_worker_is_kept_and_offsets_stay(bench: Bench) -> None:
    bench.start(LogLimits(worker_mib=1))
    for number in range(30):
        bench.printed.line(f"{number:02d}" + "x" * 99_997)
    bench.end()

    chunk = bench.read(limit=10_000_000)

    assert chunk.end == 3_000_000
    assert 500_000 < chunk.end - chunk.start <= 1024 * 1024
    assert chunk.text.endswith("29" + "x" * 99_997 + "\n")
    assert sum(path.stat().st_size for path in bench.folder.rglob("00*")) <= 1024 * 1024


def test_a_full_disk_loses_output_and_blocks_nothing(bench: Bench) -> None:
    bench.folder.parent.mkdir(exist_ok=True)
    bench.folder.write_text("not a folder")
    bench.end()

    assert bench.keeper.collect(WORKER, bench.pod)
    assert bench.read().text == ""


def test_more_workers_than_can_be_followed_are_read_all_the_same(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST_FOLLOWERS", 2)
    workers = [WorkerKey(ATTEMPT, rank) for rank in range(3)]
    bench.printed.line("hello")
    for worker in workers:
        chunk = bench.keeper.read(worker, running(worker), offset=0, limit=100)
        assert chunk.text == "hello\n"
    eventually(lambda: bench.printed.followed == 2, within_s=PATIENCE_S)

    bench.printed.line("again")
    bench.now_s += 1

    assert bench.keeper.read(workers[2], running(workers[2]), offset=6, limit=100).text == "again\n"
    assert bench.printed.followed == 2


def test_the_follower_that_was_not_read_for_the_longest_time_makes_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST_FOLLOWERS", 2)
    workers = [WorkerKey(ATTEMPT, rank) for rank in range(3)]
    for worker in workers:
        bench.keeper.read(worker, running(worker), offset=0, limit=100)
        bench.now_s += 10

    eventually(lambda: bench.printed.followed == 2, within_s=PATIENCE_S)
    assert bench.keeper._followers._followers.keys() == {workers[1], workers[2]}


def test_followers_that_wait_for_last_words_do_not_make_way(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST_FOLLOWERS", 1)
    bench.keeper.follow_before_stop([running()])
    bench.now_s += 600

    bench.keeper.read(WorkerKey(ATTEMPT, 1), running(WorkerKey(ATTEMPT, 1)), offset=0, limit=100)

    assert bench.keeper._followers._followers.keys() == {WORKER}


def test_closing_ends_all_followers_and_may_be_repeated(bench: Bench) -> None:
    bench.read()
    eventually(lambda: bench.printed.followed == 1, within_s=PATIENCE_S)

    bench.keeper.close()
    bench.keeper.close()

    assert bench.printed.followed == 0
