"""Commands that change what exists."""
