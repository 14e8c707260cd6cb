"""Help in place: what each term means, keys, and a tour of the example."""
