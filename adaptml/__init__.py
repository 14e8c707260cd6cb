"""Data programming for a growing table of unlabelled data points."""
