"""Page 3: a task's rules, written and seen at work."""
