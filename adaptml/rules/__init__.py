"""Rules that are data: what they look for is written as JSON, and applied without running anybody's code."""
