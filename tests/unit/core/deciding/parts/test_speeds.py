from scheduler.core.deciding.parts.speeds import Speeds
from scheduler.core.model.measuring.throughput import JobFamily

RESNET = JobFamily("alpha", "resnet")


def test_what_is_known_of_a_family_is_said_until_it_is_forgotten() -> None:
    speeds = Speeds()
    speeds.put(RESNET, "t4", None)
    speeds.put(RESNET, "h100", 50.0)
    speeds.put(RESNET, "t4", 10.0)
    speeds.put(RESNET, "h100", None)
    assert dict(speeds.of(RESNET)) == {"t4": 10.0}
    assert not speeds.of(JobFamily("beta", "resnet"))
