"""From rows to values of the model."""
