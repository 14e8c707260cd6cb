"""Changing a task's classes: its file, its gold labels and the tables of what was written back."""
