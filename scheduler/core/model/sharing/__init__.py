"""What tenants share, and what each is due."""
