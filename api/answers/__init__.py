"""From the model's values to what goes over the wire."""
