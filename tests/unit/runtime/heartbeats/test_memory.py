import os

from medley_runtime.heartbeats.memory import device_memory_mib, own_memory_mib, tree_memory_mib


def test_a_process_uses_some_memory_and_its_tree_no_less() -> None:
    assert 10 < own_memory_mib() < 100_000
    assert tree_memory_mib(os.getpid()) >= own_memory_mib() // 2


def test_a_process_that_is_gone_uses_none() -> None:
    assert tree_memory_mib(2**22 + 1) == 0


def test_nothing_is_said_of_the_memory_of_a_cpu_or_of_a_device_that_is_not_there() -> None:
    assert device_memory_mib("cpu") is None
    assert device_memory_mib("npu:0") is None
