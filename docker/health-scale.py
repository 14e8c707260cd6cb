"""Healthy: the scheduler answers by TLS, takes our certificate, and has one of the same authority."""

import os
import socket
import ssl
from pathlib import Path

if __name__ == "__main__":
    folder = Path(os.environ["ADAPTML_SCALE_CERTIFICATES"])
    context = ssl.create_default_context(cafile=folder / "scale_ca.pem")
    context.check_hostname = False  # as Dask: of the authority is enough
    context.load_cert_chain(folder / "scale_cert.pem", folder / "scale_key.pem")
    host, port = os.environ["NEEDS"].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=5) as plain:
        # The scheduler speaks first, once it has seen our certificate; one that it refuses ends here.
        if not context.wrap_socket(plain).recv(1):
            raise SystemExit("the scheduler refuses this certificate")
