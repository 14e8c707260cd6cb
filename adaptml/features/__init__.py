"""Features from text, and reading features of data points."""
