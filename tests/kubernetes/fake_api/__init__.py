"""A small, exact HTTP fake of the Kubernetes API server, for what a real one will not do on request.

The same behaviour tests are asked of it and of a real server (tests/kubernetes/test_api_behaviour.py).
"""
