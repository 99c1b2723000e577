from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
from medley_runtime.checkpoints import saver as module
from medley_runtime.checkpoints.saver import Saver, Unreadable, gist
from medley_runtime.checkpoints.shelf import Name, Shelf
from torch import Tensor

FIRST, SECOND = Name(1, 1, 10), Name(1, 1, 20)


def made(folder: Path, on_saved: Callable[[Name], object] = str) -> tuple[Saver, Shelf]:
    shelf = Shelf(str(folder / "checkpoints"), 2)
    return Saver(shelf, None, is_first=True, on_saved=on_saved), shelf


def state(value: float) -> dict[str, Tensor]:
    return {"model.weight": torch.full((3, 2), value), "optimiser.moment": torch.full((5,), -value)}


def test_what_is_saved_is_the_state_of_that_moment_however_it_changes_meanwhile(tmp_path: Path) -> None:
    told: list[Name] = []
    saver, shelf = made(tmp_path, told.append)
    present = state(1.0)
    saver.save(FIRST, present, {})
    for tensor in present.values():
        tensor.fill_(7.0)
    saver.save(SECOND, present, {})
    assert saver.wait(60)

    assert (told, saver.trouble) == ([FIRST, SECOND], None)
    assert shelf.whole() == [SECOND, FIRST]
    found = state(0.0)
    saver.load(FIRST, found)
    assert all(torch.equal(found[key], tensor) for key, tensor in state(1.0).items())


def test_the_files_say_nothing_of_ranks_but_their_names(tmp_path: Path) -> None:
    saver, shelf = made(tmp_path)
    saver.save(FIRST, state(1.0), {})
    saver.wait(60)
    metadata = module._library().FileSystemReader(str(shelf.path(FIRST))).read_metadata()

    assert sorted(metadata.state_dict_metadata) == ["model.weight", "optimiser.moment"]


def test_a_full_disk_is_told_and_leaves_nothing_and_a_later_save_may_do_better(tmp_path: Path) -> None:
    saver, shelf = made(tmp_path)
    full = OSError(28, "No space left on device")
    with patch.object(Shelf, "commit", side_effect=full):
        saver.save(FIRST, state(1.0), {})
        saver.wait(60)
    assert saver.trouble == "No space left on device"
    assert list(shelf.folder.iterdir()) == []

    saver.save(SECOND, state(1.0), {})
    saver.wait(60)
    assert shelf.whole() == [SECOND]
    assert saver.trouble is None


def test_a_checkpoint_of_other_shapes_or_a_damaged_one_is_unreadable(tmp_path: Path) -> None:
    saver, shelf = made(tmp_path)
    saver.save(FIRST, state(1.0), {})
    saver.wait(60)

    with pytest.raises(Unreadable, match=r"[Ss]ize"):
        saver.load(FIRST, {"model.weight": torch.zeros(9, 9)})
    with pytest.raises(Unreadable, match="other"):
        saver.load(FIRST, {"other": torch.zeros(1)})
    for part in shelf.path(FIRST).glob("*.distcp"):
        part.write_bytes(b"")
    with pytest.raises(Unreadable):
        saver.load(FIRST, state(0.0))
    with pytest.raises(Unreadable):
        saver.load(SECOND, state(0.0))


def test_of_a_gathered_error_the_cause_is_told_in_one_line() -> None:
    class Gathered(BaseException):
        def __init__(self) -> None:
            self.failures = {1: (OSError(28, "No space left on device"), None)}

    assert gist(Gathered()) == "rank 1: No space left on device"
    assert gist(ValueError("first\nsecond")) == "first"
    assert gist(ValueError()) == "ValueError"
