"""Clusters that Kubernetes runs: gangs as gated pods, watched by reflectors of our own."""
