"""What to fix next: labels that look wrong, near-duplicates, slices on which the model is weak."""
