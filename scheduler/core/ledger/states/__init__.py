"""What tells nodes apart: their kind and what they have left; and how often a demand fits on a node in such a state."""
