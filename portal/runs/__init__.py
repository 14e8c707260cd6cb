"""Running steps, and what runs found."""
