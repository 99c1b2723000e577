"""What the benchmarks on Kubernetes share: a control plane, a server on it, and bare loops to compare with."""
