from pathlib import Path

from scheduler.adapters.local.checking import check_folder


def test_a_folder_that_can_be_written_works_and_nothing_stays_in_it(tmp_path: Path) -> None:
    finding = check_folder(tmp_path)
    assert (finding.is_ok, finding.detail, finding.next_step) == (True, str(tmp_path), None)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_does_not_work_and_says_what_to_do(tmp_path: Path) -> None:
    finding = check_folder(tmp_path / "gone")
    assert not finding.is_ok
    assert "gone" in finding.detail
    assert finding.next_step
