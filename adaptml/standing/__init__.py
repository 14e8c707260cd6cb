"""Where a task stands: its data, gold, votes, runs and champion, and what to do next."""
