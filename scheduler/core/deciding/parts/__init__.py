"""What a scheduler's state is made of, each part kept equal to the feed."""
