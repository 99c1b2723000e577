"""The one mutable index of capacity in memory. Choosing what to hold lives elsewhere."""
