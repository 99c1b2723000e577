"""In which order those who wait are asked: a small family of policies, one of which an installation has."""
