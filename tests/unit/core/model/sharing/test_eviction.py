from scheduler.core.model.sharing.eviction import Eviction, EvictionCause


def test_what_a_preemption_costs_grows_with_devices_and_time() -> None:
    eviction = Eviction("a-g0", "alpha", EvictionCause.PRIORITY, 1, 0, devices_milli=2_500, unsaved_s=10)
    assert eviction.unsaved_device_s == 25
