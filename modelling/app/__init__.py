"""The prediction service: every champion behind an endpoint of its own."""
