"""What is done to the cluster and what is made of its answers: starting, observing and removing gangs."""
