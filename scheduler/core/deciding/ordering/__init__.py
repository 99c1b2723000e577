"""Who is next on a state as it is: a policy's order, with the shares and the past that it rests on."""
