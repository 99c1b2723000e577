"""What would be: simulated in this process, or asked of the server, which changes nothing."""
