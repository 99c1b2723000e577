"""The parts of a supervisor that can be looked at without one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scheduler.adapters.local.supervisor import processes
from scheduler.adapters.local.supervisor.processes import ProcessIdentity, descendants, identify, memory_mib
from scheduler.adapters.local.supervisor.records import (
    BrokenRecord,
    Ended,
    Plan,
    Started,
    read_stop,
    try_lock,
    write_stop,
)

ROOT = Path(__file__).resolve().parents[4]
SLOW = {
    "dataclasses",
    "json",
    "pathlib",
    "re",
    "subprocess",
    "tempfile",
    "threading",
    "typing",
    "contextlib",
    "inspect",
}


def test_a_supervisor_imports_little_and_nothing_but_the_standard_library() -> None:
    code = (
        f"import sys; sys.path.append({str(ROOT)!r})\n"
        "import scheduler.adapters.local.supervisor.supervise\n"
        "print(' '.join(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    modules = loaded.stdout.split()

    foreign = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)
    assert foreign <= {"scheduler", "__main__"}
    assert not SLOW & set(modules)


def test_a_worker_is_recorded_as_started_only_once(tmp_path: Path) -> None:
    me = identify(os.getpid())
    Started(me, me, generation=7, at_s=1.5).write(str(tmp_path))

    with pytest.raises(FileExistsError):
        Started(me, me, generation=8, at_s=2.5).write(str(tmp_path))

    record = Started.read(str(tmp_path))
    assert record is not None
    assert (record.supervisor.pid, record.supervisor.start) == (me.pid, me.start)
    assert (record.generation, record.at_s) == (7, 1.5)
    assert [path.name for path in tmp_path.iterdir()] == ["started"]


@pytest.mark.parametrize("want_code", [0, 3, -9, None])
def test_an_end_is_read_as_it_was_written(tmp_path: Path, want_code: int | None) -> None:
    assert Ended.read(str(tmp_path)) is None

    Ended("exited", want_code, 1.25).write(str(tmp_path))

    record = Ended.read(str(tmp_path))
    assert record is not None
    assert (record.end, record.exit_code, record.at_s) == ("exited", want_code, 1.25)


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    held = try_lock(str(tmp_path))
    assert held is not None
    assert try_lock(str(tmp_path)) is None

    os.close(held)

    again = try_lock(str(tmp_path))
    assert again is not None
    os.close(again)


def test_an_attempt_that_was_not_asked_to_stop_has_no_grace(tmp_path: Path) -> None:
    assert read_stop(str(tmp_path)) is None


@pytest.mark.parametrize("content", ["", "1.5.2", "\0\0"])
def test_a_broken_request_to_end_is_for_a_time_that_has_come(tmp_path: Path, content: str) -> None:
    (tmp_path / "stop").write_text(content)

    assert read_stop(str(tmp_path)) == 0.0


def test_what_must_outlast_a_power_failure_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: dict[str, bytes] = {}
    sync = os.fsync

    def note(descriptor: int) -> None:
        sync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        on_disk[path.name] = path.read_bytes() if path.is_file() else b"a folder"

    monkeypatch.setattr(os, "fsync", note)

    write_stop(str(tmp_path), 1.5)

    (temporary, content), (folder, _) = on_disk.items()
    assert temporary.startswith(".stop.")
    assert (content, folder) == (b"1.5", tmp_path.name)


@pytest.mark.parametrize("record", [Plan, Started, Ended])
@pytest.mark.parametrize("content", [b"", b"generation=", b"\0\0"])
def test_a_broken_record_says_which_file_it_is(
    tmp_path: Path, record: type[Plan | Started | Ended], content: bytes
) -> None:
    path = tmp_path / record.__name__.lower()
    path.write_bytes(content)

    with pytest.raises(BrokenRecord, match=str(path)):
        record.read(str(tmp_path))


def test_a_process_with_the_same_number_and_another_start_is_another() -> None:
    me = identify(os.getpid())

    assert me.is_alive()
    assert not ProcessIdentity(me.pid, "1@another-boot").is_alive()
    assert ProcessIdentity(me.pid, "1@another-boot").open() is None


def test_a_process_that_is_gone_is_not_alive() -> None:
    with subprocess.Popen(["/bin/true"]) as process:
        process.wait()

    with pytest.raises(ProcessLookupError):
        identify(process.pid)


def test_an_unreaped_process_is_not_alive() -> None:
    with subprocess.Popen(["/bin/sleep", "1000"]) as process:
        identity = identify(process.pid)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        assert not identity.is_alive()


@pytest.mark.parametrize("finds", ["_listed_children", "_scanned_children"])
def test_descendants_are_found_with_and_without_the_kernels_list(monkeypatch: pytest.MonkeyPatch, finds: str) -> None:
    readers = {
        "_listed_children": lambda: processes._listed_children,
        "_scanned_children": processes._scanned_children,
    }
    monkeypatch.setattr(processes, "_children_reader", readers[finds])
    with subprocess.Popen(["/bin/sh", "-c", "sleep 1000 & echo $!; wait"], stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        grandchild = int(shell.stdout.readline())

        found = descendants(os.getpid())

        assert {shell.pid, grandchild} <= set(found)
        assert found.index(shell.pid) < found.index(grandchild)
        os.kill(grandchild, 9)


def test_memory_is_counted_in_mib() -> None:
    held = b"x" * (64 * 1024 * 1024)

    assert 64 <= memory_mib([os.getpid()]) < 4096
    assert 64 <= processes.proportional_memory_mib([os.getpid()]) < 4096
    assert memory_mib([2**30]) == 0
    assert len(held) > 0
