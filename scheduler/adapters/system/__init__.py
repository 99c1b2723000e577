"""What the operating system gives to one process: time, randomness, threads that wait for each other."""
