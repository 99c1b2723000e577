from scheduler.core.model.resources import WorkerShape


def test_devices_are_counted_in_thousandths() -> None:
    assert WorkerShape(devices=8, cpu_milli=0, memory_mib=0).devices_milli == 8_000
