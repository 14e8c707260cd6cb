"""Healthy: the scheduler answers by TLS and takes our certificate; of a worker, its process is there too.

python health-scale.py [worker]
"""

import os
import socket
import ssl
import sys
from pathlib import Path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


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
    words = [_read(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
    if "worker" in sys.argv and not any(b"spawn_main" in one for one in words):
        raise SystemExit("no worker's process is there")
