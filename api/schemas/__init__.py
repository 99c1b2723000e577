"""What goes over the wire, as Pydantic models: bounded on the way in, explicit on the way out."""
