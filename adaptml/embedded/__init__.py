"""A project's own parts, without Docker: saved, put back and looked at."""
