import json
from pathlib import Path

import pytest
from medley_runtime.checkpoints.shelf import FACTS, CannotSave, Name, Shelf


def shelf(folder: Path, keep: int = 2) -> Shelf:
    return Shelf(str(folder / "checkpoints"), keep)


def save(kept: Shelf, *names: Name) -> None:
    for name in names:
        (kept.partial(name) / "part").write_text("weights")
        kept.commit(name, {"world_size": 4})


def test_a_checkpoint_is_there_whole_with_what_is_said_of_it(tmp_path: Path) -> None:
    kept, name = shelf(tmp_path), Name(attempt=2, generation=1, step=40)
    save(kept, name)

    assert kept.path(name).name == "step-000000000040-attempt-2.1"
    assert (kept.path(name) / "part").read_text() == "weights"
    assert kept.facts(name) == {"version": 1, "step": 40, "world_size": 4}
    assert kept.whole() == [name]
    assert Name.parse(str(name)) == name


def test_what_is_half_written_is_not_found(tmp_path: Path) -> None:
    kept = shelf(tmp_path)
    (kept.partial(Name(1, 1, 10)) / "part").write_text("half of")
    (kept.folder / str(Name(1, 1, 11))).mkdir()
    garbled = kept.folder / str(Name(1, 1, 12))
    garbled.mkdir()
    (garbled / FACTS).write_text("{")
    (kept.folder / "notes").mkdir()

    assert kept.whole() == []


def test_a_later_attempts_checkpoint_counts_for_more_than_a_later_step(tmp_path: Path) -> None:
    kept = shelf(tmp_path, keep=9)
    save(kept, Name(1, 1, 100), Name(2, 1, 60), Name(2, 1, 50), Name(2, 2, 40))

    assert kept.whole() == [Name(2, 2, 40), Name(2, 1, 60), Name(2, 1, 50), Name(1, 1, 100)]


def test_only_the_newest_stay_and_nothing_half_written_of_earlier_attempts(tmp_path: Path) -> None:
    kept = shelf(tmp_path, keep=2)
    kept.partial(Name(1, 1, 5))
    save(kept, Name(1, 1, 1), Name(1, 1, 2), Name(1, 1, 3), Name(2, 1, 4))
    kept.tidy(Name(2, 1, 4))

    assert sorted(entry.name for entry in kept.folder.iterdir()) == [str(Name(1, 1, 3)), str(Name(2, 1, 4))]


def test_an_attempt_that_was_given_up_deletes_nothing_of_its_successor(tmp_path: Path) -> None:
    old, new = shelf(tmp_path, keep=1), shelf(tmp_path, keep=1)
    save(new, Name(2, 1, 50))
    new.partial(Name(2, 1, 60))
    save(old, Name(1, 1, 100), Name(1, 1, 110))
    old.tidy(Name(1, 1, 110))

    assert new.whole() == [Name(2, 1, 50), Name(1, 1, 110)]
    assert new.partial(Name(2, 1, 60)).is_dir()


def test_a_folder_that_vanished_is_made_anew_and_one_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    kept = shelf(tmp_path)
    assert kept.whole() == []
    save(kept, Name(1, 1, 1))
    assert kept.whole() == [Name(1, 1, 1)]
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotSave, match="cannot be written to"):
        Shelf(str(tmp_path / "file" / "below"), 1).partial(Name(1, 1, 1))


def test_a_folder_that_vanishes_while_a_checkpoint_is_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotSave, match="cannot be completed"):
        shelf(tmp_path).commit(Name(1, 1, 1), {})


def test_what_is_abandoned_is_gone(tmp_path: Path) -> None:
    kept = shelf(tmp_path)
    kept.partial(Name(1, 1, 1))
    kept.abandon(Name(1, 1, 1))

    assert list(kept.folder.iterdir()) == []


def test_a_step_saved_twice_stays_as_it_was_first(tmp_path: Path) -> None:
    kept, name = shelf(tmp_path), Name(1, 1, 1)
    save(kept, name)
    (kept.partial(name) / "part").write_text("other")
    kept.commit(name, {})

    assert (kept.path(name) / "part").read_text() == "weights"
    assert json.loads((kept.path(name) / FACTS).read_text())["world_size"] == 4
    assert len(list(kept.folder.iterdir())) == 1
