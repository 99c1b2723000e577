"""Servers as tenants ask for them, and what the API says of their replicas."""
