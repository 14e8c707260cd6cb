"""End models: versions, champions, and why a model answers as it does."""
