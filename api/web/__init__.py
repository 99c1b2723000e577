"""What all routes share: callers, bodies, cursors, problems and the OpenAPI document."""
