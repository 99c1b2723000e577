"""What reconciling one cluster rests on: what is wanted there."""
