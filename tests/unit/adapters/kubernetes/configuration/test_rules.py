from scheduler.adapters.kubernetes.configuration.pools import Toleration
from scheduler.adapters.kubernetes.configuration.rules import ChipRule, is_like


def test_a_rule_fits_a_node_with_its_resource_and_all_its_labels() -> None:
    rule = ChipRule("h100-sxm", "nvidia.com/gpu", (("product", "NVIDIA-H100*HBM3"), ("mode", "whole")))

    assert rule.fits("nvidia.com/gpu", {"product": "NVIDIA-H100-80GB-HBM3", "mode": "whole"})
    assert not rule.fits("nvidia.com/gpu", {"product": "NVIDIA-H100-80GB-HBM3"})
    assert not rule.fits("nvidia.com/gpu", {"product": "NVIDIA-H100-80GB-HBM3-SHARED", "mode": "whole"})
    assert not rule.fits("amd.com/gpu", {"product": "NVIDIA-H100-80GB-HBM3", "mode": "whole"})


def test_a_star_stands_for_any_text() -> None:
    assert is_like("a.b", "a.b")
    assert not is_like("axb", "a.b")
    assert is_like("", "*")
    assert not is_like(None, "*")
    assert is_like("abc", "*b*")


def test_a_toleration_names_a_taint_as_closely_as_it_likes() -> None:
    assert Toleration("a").accepts("a", "x", "NoExecute")
    assert Toleration("a", "x", "NoSchedule").accepts("a", "x", "NoSchedule")
    assert not Toleration("a", "x").accepts("a", "y", "NoSchedule")
    assert not Toleration("a", effect="NoSchedule").accepts("a", "", "NoExecute")
    assert not Toleration("a").accepts("b", "", "NoSchedule")
