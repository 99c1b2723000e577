"""Commands about servers of several replicas."""
