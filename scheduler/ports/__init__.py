"""What Medley needs from outside, as protocols. No port knows how it is fulfilled."""
