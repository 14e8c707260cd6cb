"""Chromium for tests of pages."""

from debian_programs import program_of

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Chromium's program; without one the test is skipped, and says so."""
    return program_of("chromium", "chromium", "chromium-browser", "google-chrome")
