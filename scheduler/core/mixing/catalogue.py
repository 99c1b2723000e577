"""Models that are known by name. Figures are those of their publications and configuration files."""

from collections.abc import Mapping
from types import MappingProxyType

from scheduler.core.mixing.asked.shape import Experts, ModelShape


def _gpt2(name: str, layers: int, hidden: int, heads: int) -> ModelShape:
    return ModelShape(
        name,
        layers,
        hidden,
        heads,
        key_value_width=hidden,
        feed_forward_width=4 * hidden,
        vocabulary=50_257,
        is_gated=False,
        ties_embeddings=True,
        learnt_positions=1_024,
    )


def _gpt3(name: str, layers: int, hidden: int, heads: int) -> ModelShape:
    return ModelShape(
        name,
        layers,
        hidden,
        heads,
        key_value_width=hidden,
        feed_forward_width=4 * hidden,
        vocabulary=50_257,
        is_gated=False,
        ties_embeddings=True,
        learnt_positions=2_048,
    )


_KNOWN = (
    _gpt2("gpt2", 12, 768, 12),
    _gpt2("gpt2-medium", 24, 1_024, 16),
    _gpt2("gpt2-large", 36, 1_280, 20),
    _gpt2("gpt2-xl", 48, 1_600, 25),
    _gpt3("gpt3-6.7b", 32, 4_096, 32),
    _gpt3("gpt3-13b", 40, 5_120, 40),
    _gpt3("gpt3-175b", 96, 12_288, 96),
    ModelShape("llama2-7b", 32, 4_096, 32, 4_096, 11_008, 32_000),
    ModelShape("llama2-13b", 40, 5_120, 40, 5_120, 13_824, 32_000),
    ModelShape("llama2-70b", 80, 8_192, 64, 1_024, 28_672, 32_000),
    ModelShape("llama3-8b", 32, 4_096, 32, 1_024, 14_336, 128_256),
    ModelShape("llama3-70b", 80, 8_192, 64, 1_024, 28_672, 128_256),
    ModelShape("llama3-405b", 126, 16_384, 128, 1_024, 53_248, 128_256),
    ModelShape("mixtral-8x7b", 32, 4_096, 32, 1_024, 14_336, 32_000, experts=Experts(8, 2)),
    ModelShape("mixtral-8x22b", 56, 6_144, 48, 1_024, 16_384, 32_768, experts=Experts(8, 2)),
)

MODELS: Mapping[str, ModelShape] = MappingProxyType({shape.name: shape for shape in _KNOWN})
"""By name, in small letters."""
