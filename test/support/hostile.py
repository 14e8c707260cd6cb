"""What somebody who means harm can leave: pickles that run code, and a tracking server that says anything."""

import json
import os
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit


class _Touches:
    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._mark),)


def evil_pickle(path: Path, mark: Path) -> Path:
    """A file that makes the folder `mark` when it is opened as a pickle."""
    path.write_bytes(pickle.dumps(_Touches(mark)))
    return path


@contextmanager
def server_that_says(answers: Mapping[str, Any]) -> Iterator[str]:
    """A server's address; it answers a path and query with JSON or bytes, and everything else with 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            said = answers.get(unquote(f"{parts.path}?{parts.query}"), answers.get(parts.path))
            body = said if isinstance(said, bytes) else json.dumps(said or {}).encode()
            self.send_response(404 if said is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the standard library's name

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
