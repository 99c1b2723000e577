"""What an operator says of one Kubernetes cluster, as typed values, and the YAML file that they are read from."""
