"""Runs: tracking, reading earlier ones, the model registry."""
