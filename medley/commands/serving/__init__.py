"""What is done with servers; what is in here is loaded when it is called."""
