"""The small app in a process of its own: `python edge_process.py` prints its port; settings come from the environment."""

from pathlib import Path

from edge_server import refuse, small_app

from adaptml.listening import listen, run_server
from adaptml.settings import load_settings

WAITING_S = 60  # longer than a test may take: what waits so long is never answered

if __name__ == "__main__":
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    app, settings = small_app(WAITING_S), load_settings(Path())
    run_server(app, listener, settings, refuse, lambda: print(port, flush=True))  # noqa: T201 - for the test
