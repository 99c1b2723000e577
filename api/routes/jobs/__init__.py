"""What is done with jobs: handing in, asking, changing, output, replicas."""
