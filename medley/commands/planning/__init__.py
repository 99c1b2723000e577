"""What clusters would do: asked of the scheduler itself, in this process."""
