"""A task on the page: made, shown, edited, its classes changed; and a file imported for it."""
