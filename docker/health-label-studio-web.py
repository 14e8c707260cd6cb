"""Healthy: the owner's token works, for which Label Studio reads its database."""

import pathlib
import urllib.request

if __name__ == "__main__":
    token = pathlib.Path("/run/secrets/label_studio_token").read_text(encoding="ascii").strip()
    request = urllib.request.Request(
        "http://127.0.0.1:8080/api/current-user/whoami", headers={"Authorization": f"Token {token}"}
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - this container
