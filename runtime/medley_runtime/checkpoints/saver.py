"""Saving a training's state beside the training, and loading it, with torch.distributed.checkpoint.

The tensors have names that say nothing of ranks, and what all ranks hold alike is written once: any number of workers
can resume from it. Importing this imports torch, and the first checkpoint imports torch.distributed.checkpoint, which
takes about a second: a training that ends before its first checkpoint is due does not pay for it.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Callable

import torch
from torch import Tensor

from medley_runtime.checkpoints.shelf import CannotSave, Name, Shelf

State = Mapping[str, Tensor]
Group = Any
"""A process group of torch with gloo, None for a lone worker; nothing else may use it meanwhile."""


class Unreadable(Exception):
    """A checkpoint cannot be loaded; the message says why, for people."""


class Saver:
    """Saves one state again and again. All ranks make the same calls, in the same order; one save runs at a time."""

    def __init__(self, shelf: Shelf, group: Group, *, is_first: bool, on_saved: Callable[[Name], object]) -> None:
        """`is_first`: this rank completes checkpoints, and hears of it through `on_saved`, from another thread."""
        self._shelf = shelf
        self._group = group
        self._is_first = is_first
        self._on_saved = on_saved
        self._staged: dict[str, Tensor] = {}
        self._preparing: threading.Thread | None = None
        self._writing: threading.Thread | None = None
        self.trouble: str | None = None
        """Why the latest save failed; None where it did not."""
        self.took_s = 0.0
        """How long the latest one took, beside the training."""

    def prepare(self, state: State) -> None:
        """Begin to make ready for the first save, beside the training; may be called again."""
        if self._preparing is None:
            self._preparing = threading.Thread(target=self._prepare, args=(state,), name="checkpoints", daemon=True)
            self._preparing.start()

    @property
    def is_busy(self) -> bool:
        """Whether a save is under way."""
        return self._writing is not None and self._writing.is_alive()

    def save(self, name: Name, state: State, facts: dict[str, Any]) -> None:
        """Begin to save: the state is copied when this returns, and may change."""
        self.wait()
        self.prepare(state)
        if self._preparing is not None:
            self._preparing.join()
        for key, tensor in state.items():
            self._staged[key].copy_(tensor.detach())
        self._writing = threading.Thread(target=self._write, args=(name, facts), name="checkpoint", daemon=True)
        self._writing.start()

    def wait(self, limit_s: float | None = None) -> bool:
        """Wait until no save is under way; say whether that is so."""
        if self._writing is not None:
            self._writing.join(limit_s)
        return not self.is_busy

    def load(self, name: Name, state: State) -> None:
        """Fill the tensors from a checkpoint; after an error their content is undefined. Raises Unreadable."""
        checkpoints = _library()
        whole = {key: torch.empty_like(tensor, device="cpu") for key, tensor in state.items()}
        reader = checkpoints.FileSystemReader(self._shelf.path(name))
        try:
            with _quiet():
                checkpoints.load(whole, storage_reader=reader, process_group=self._group)
        except (Exception, checkpoints.CheckpointException) as error:  # torch's own is no Exception
            raise Unreadable(gist(error)) from error
        for key, tensor in state.items():
            tensor.copy_(whole[key])

    def _prepare(self, state: State) -> None:
        """Import what is needed and make the memory for copies, every page of it: the first copy is as quick as others.

        Memory of its own for a copy costs a page fault per 4 KiB, which would take longer than the copying.
        """
        _library()
        for key, tensor in state.items():
            is_pinned = tensor.device.type == "cuda"
            self._staged[key] = torch.zeros_like(tensor, device="cpu", pin_memory=is_pinned)

    def _write(self, name: Name, facts: dict[str, Any]) -> None:
        """Write what was copied; at the training's own priority.

        At a lower one, on a machine whose cores are all taken, this thread would be put aside while it holds the
        interpreter's lock, and every step would wait for it.
        """
        began_s = time.monotonic()
        try:
            self._write_whole(name, facts)
            self.trouble = None
        except CannotSave as error:
            self.trouble = str(error)
        except BaseException as error:  # noqa: BLE001 - torch's own, for what any rank met, is no Exception
            self.trouble = gist(error)
        if not self._is_first:
            return
        if self.trouble is None:
            self.took_s = time.monotonic() - began_s
            self._on_saved(name)
            self._shelf.tidy(name)
        else:
            self._shelf.abandon(name)

    def _write_whole(self, name: Name, facts: dict[str, Any]) -> None:
        checkpoints = _library()
        writer = checkpoints.FileSystemWriter(self._shelf.partial(name))
        with _quiet(), without_check_sums():
            # Returns on the first rank when every rank has written and synced its part.
            checkpoints.save(dict(self._staged), storage_writer=writer, process_group=self._group)
        if self._is_first:
            self._shelf.commit(name, facts)


def gist(error: BaseException) -> str:
    """Return what went wrong in one line: of the error that a rank met, where torch only gathers them."""
    failures = getattr(error, "failures", None)
    if isinstance(failures, Mapping) and failures:
        rank = min(failures)
        found = failures[rank]
        inner = found[0] if isinstance(found, tuple) else found
        return f"rank {rank}: {gist(inner)}"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).strip().split("\n", 1)[0][:300]


def _library() -> Any:
    """Return torch.distributed.checkpoint; its old names, of torch 2.1, are not enough. Raises CannotSave."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch.distributed.checkpoint as library  # noqa: PLC0415 - dear to import

    if not hasattr(library, "save"):
        raise CannotSave(f"torch {torch.__version__} is too old for checkpoints; use an image with torch 2.2 or later")
    return library


@contextmanager
def without_check_sums() -> Iterator[None]:
    """Let torch leave CRC-32 out of what it writes: nobody reads it again, and it is most of the processor's work."""
    options = getattr(torch, "serialization", None)
    set_option = getattr(options, "set_crc32_options", None)  # came with torch 2.6
    get_option = getattr(options, "get_crc32_options", None)
    if set_option is None or get_option is None:
        yield
        return
    before = get_option()
    set_option(False)
    try:
        yield
    finally:
        set_option(before)


class _quiet(warnings.catch_warnings):  # noqa: N801 - reads as what it does
    """Keep torch's remarks about lone workers and old formats out of the log."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore")
