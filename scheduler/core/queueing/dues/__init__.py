"""What devices are worth to each other, and what queues are due of all of them."""
