"""Gold labels: one table a task says what people decided about a point, how, and what they saw."""
