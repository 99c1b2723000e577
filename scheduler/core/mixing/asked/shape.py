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

    @property
    def key_value_heads(self) -> int:
        """Heads of keys and values: fewer than `heads` where several heads share them."""
        return self.key_value_width * self.heads // self.hidden

    def splits_into(self, tensor_parallel: int) -> bool:
        """Say whether so many devices can share a layer: each has whole heads and as many columns as the others.

        So Megatron-LM wants it (arXiv 1909.08053, section 3): the heads, those of keys and values, and the width of the
        feed-forward network are multiples of the tensor-parallel degree.
        """
        wholes = (self.heads, self.key_value_heads, self.feed_forward_width)
        return all(whole % tensor_parallel == 0 for whole in wholes)
