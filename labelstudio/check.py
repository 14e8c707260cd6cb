"""Whether Label Studio answers."""

import httpx

from adaptml.masking import without_user
from adaptml.settings import Settings
from adaptml.tasks.check import Finding

PATIENCE_S = 3.0


def check_server(settings: Settings) -> Finding:
    """Ask the Label Studio that the settings name for its health, if it was ever set up."""
    url, what = settings.label_studio_url.rstrip("/"), "Label Studio"
    if not settings.label_studio_token.get_secret_value() and not settings.label_studio_token_file.is_file():
        return Finding("ok", what, "not set up: no token")
    try:
        answered = httpx.get(f"{url}/health", timeout=PATIENCE_S).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        answered = False
    shown = without_user(url)
    if answered:
        return Finding("ok", what, f"answers at {shown}")
    return Finding(
        "warning", what, f"does not answer at {shown}; start it before the next `adaptml annotate`"
    )
