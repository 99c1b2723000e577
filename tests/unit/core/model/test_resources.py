from scheduler.core.model.resources import WorkerShape


def test_devices_are_counted_in_thousandths() -> None:
    assert WorkerShape(devices=8, cpu_milli=0, memory_mib=0).devices_milli == 8_000
    assert WorkerShape(devices=0, cpu_milli=1_000, memory_mib=64).devices_milli == 0


def test_a_share_counts_as_the_thousandths_it_is() -> None:
    assert WorkerShape(0, 0, 0, share_milli=250, share_memory_mib=1_024).devices_milli == 250
