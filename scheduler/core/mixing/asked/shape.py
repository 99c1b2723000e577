"""The shape of a model: what its layers are made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Experts:
    """The experts that take the place of the feed-forward network in every layer."""

    count: int
    active: int
    """So many of them each token goes through."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A decoder-only transformer, as its pipeline sees it: an embedding, equal layers and a head."""

    name: str
    layers: int
    hidden: int
    heads: int
    key_value_width: int
    """Key-value heads times the size of a head: `hidden` unless heads share keys and values."""
    feed_forward_width: int
    """Of one expert, where there are experts."""
    vocabulary: int
    is_gated: bool = True
    """The feed-forward network has three matrices, not two."""
    ties_embeddings: bool = False
    """The head is the embedding once more: first and last stage must then have the same tensor-parallel degree."""
    learnt_positions: int = 0
    """Rows of a table of positions that is learnt; 0 where positions are computed."""
    experts: Experts | None = None
