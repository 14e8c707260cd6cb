"""The page: rules written and seen at work, and everything run from one place."""
