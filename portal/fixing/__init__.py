"""Page 8: what to fix next: labels that look wrong, near-duplicates, weak slices."""
