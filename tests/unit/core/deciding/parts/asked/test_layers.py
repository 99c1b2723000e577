"""How long layers of families' models take, as the planner of trainings asks for it."""

from scheduler.core.deciding.parts.asked.layers import KnownLayers
from scheduler.core.mixing.asked.profiles import Profiles
from scheduler.core.model.measuring.layers import LayerProfile, LayerSpeed, ProfileKey
from scheduler.core.model.measuring.throughput import JobFamily

FAMILY, OTHER = JobFamily("alpha", "llama"), JobFamily("alpha", "gpt")
KEY, WIDE = ProfileKey("h100", 2, 4), ProfileKey("h100", 16, 4)
TIMES = LayerProfile(0.010, 0.020)


def known(*speeds: LayerSpeed) -> KnownLayers:
    layers = KnownLayers()
    layers.follow(speeds)
    return layers


def test_each_family_has_its_own_layers() -> None:
    layers = known(LayerSpeed(FAMILY, KEY, TIMES), LayerSpeed(OTHER, WIDE, TIMES))
    assert layers.of(FAMILY).layers == {KEY: TIMES}
    assert layers.of(OTHER).layers == {WIDE: TIMES}
    assert layers.of(JobFamily("beta", "llama")) == Profiles()


def test_a_change_is_another_version_and_taking_it_back_the_old_one() -> None:
    layers = known(LayerSpeed(FAMILY, KEY, TIMES))
    first = layers.of(FAMILY).version
    layers.follow([LayerSpeed(FAMILY, KEY, LayerProfile(0.011, 0.020))])
    assert layers.of(FAMILY).version not in (0, first)
    layers.follow([LayerSpeed(FAMILY, KEY, TIMES)])
    assert layers.of(FAMILY).version == first
    layers.follow([LayerSpeed(FAMILY, KEY, None)])
    assert layers.of(FAMILY) == Profiles()


def test_the_order_in_which_it_was_heard_says_nothing() -> None:
    speeds = [LayerSpeed(FAMILY, KEY, TIMES), LayerSpeed(FAMILY, WIDE, TIMES), LayerSpeed(OTHER, KEY, TIMES)]
    one, other = known(*speeds), known(*reversed(speeds))
    assert one.of(FAMILY) == other.of(FAMILY)
    assert list(one.content()) == list(other.content())
    assert sorted(one.content(), key=repr) == sorted(speeds, key=repr)


def test_what_was_never_known_can_be_forgotten() -> None:
    assert list(known(LayerSpeed(FAMILY, KEY, None)).content()) == []
