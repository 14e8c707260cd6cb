"""A Label Studio on this machine, for development and tests: `make labelstudio`.

It has an environment of its own, because it pins versions that we cannot share. All lies in one folder:

    venv/                    the environment, from requirements/labelstudio-server.txt
    template.sqlite3         an empty database after its migrations, which take 40 s
    data/                    database and uploads of the server
    files/media              a link to the folder whose files annotators are shown
    token, accounts.json     readable by their owner alone
    server.log
"""

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from adaptml.errors import LabelStudioError
from labelstudio.local_accounts import keep_accounts, make_annotators
from labelstudio.media import SERVED

HOST = "127.0.0.1"
READY_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 20.0
# Nothing is told to anybody, nobody signs up unasked, only this machine is served, no address inside a
# network is asked on an annotator's word, and predictions that the labelling page cannot show are refused
# instead of dropped.
QUIET = {
    "COLLECT_ANALYTICS": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "LATEST_VERSION_CHECK": "false",
    "CORS_ALLOW_ALL_ORIGINS": "false",
    "LOCAL_FILES_SERVING_ENABLED": "false",
    "SSRF_PROTECTION_ENABLED": "true",
    "ML_BLOCK_LOCAL_IP": "true",
    "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    "fflag_feat_utc_210_prediction_validation_15082025": "true",
}


def environment(data: Path) -> dict[str, str]:
    """The whole environment of the server; nothing of the caller's reaches it but the search path."""
    kept = {"PATH": os.pathsep.join(os.get_exec_path()), "LANG": "C.UTF-8"}
    return kept | QUIET | {"HOME": str(data), "LABEL_STUDIO_BASE_DATA_DIR": str(data)}


def prepare(folder: Path, requirements: Path) -> None:
    """Install the server and make its empty database, once; two callers at a time wait for each other.

    Args:
        folder: where everything lies.
        requirements: pinned versions; another content installs anew.

    Raises:
        LabelStudioError: it cannot be installed.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
        stamp = folder / ".installed"
        if not stamp.is_file() or stamp.read_text() != digest:
            _install(folder / "venv", requirements)
            (folder / "template.sqlite3").unlink(missing_ok=True)
            stamp.write_text(digest)
        if not (folder / "template.sqlite3").is_file():
            _migrate(folder)


def _install(venv: Path, requirements: Path) -> None:
    python = str(venv / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--no-compile"]
    locked = ["--no-deps", "--require-hashes", "--requirement", str(requirements)]
    for command in ([sys.executable, "-m", "venv", str(venv)], [*pip, *locked]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
        if done.returncode:
            reason = _end_of(done.stderr or done.stdout)
            raise LabelStudioError(
                f"Label Studio cannot be installed into {venv}: {reason}; see that packages can be "
                "downloaded, then try again"
            )


def _migrate(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder, prefix="template-") as scratch:
        command = [str(folder / "venv" / "bin" / "label-studio"), "version"]
        done = subprocess.run(  # noqa: S603 - our own words
            command, env=environment(Path(scratch)), cwd=scratch, capture_output=True, text=True, check=False
        )
        if done.returncode:
            reason = _end_of(done.stderr)
            raise LabelStudioError(
                f"Label Studio cannot make its database: {reason}; delete {folder / 'venv'} and try again"
            )
        (Path(scratch) / "label_studio.sqlite3").replace(folder / "template.sqlite3")


class LocalServer:
    """One running server.

    Attributes:
        url: its address.
        admin: the account that owns it; `token` is its token.
        log: what it prints.
    """

    def __init__(self, installed: Path, home: Path, port: int) -> None:
        """Name the folders and the port; `start` starts it.

        Args:
            installed: folder that `prepare` filled.
            home: folder of its data, accounts, token and log; may be the same folder.
            port: a free port of this machine.
        """
        self.url = f"http://{HOST}:{port}"
        self.home, self.log = home, home / "server.log"
        self.files = home.absolute() / "files"
        self._installed, self._port = installed, port
        self._process: subprocess.Popen[bytes] | None = None
        self.admin, self.annotators, self.token = keep_accounts(home)

    def share(self, media: Path) -> Path:
        """Serve the files of a folder, there already or not, and of no other; gives where the server sees it.

        The server's own folder holds nothing but a link to it: whoever has an account can register any folder
        below the server's with a project, and see its files.
        """
        self.files.mkdir(parents=True, exist_ok=True)
        link, temporary = self.files / SERVED, self.files / f".{SERVED}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(media.resolve(), target_is_directory=True)
        temporary.replace(link)
        return link

    def start(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Start the server, wait until it answers with our token, then make the annotators' accounts.

        Raises:
            LabelStudioError: the port is taken, the server ended, or it did not answer in time.
        """
        if is_taken(self._port):
            raise LabelStudioError(f"port {self._port} is taken; stop what uses it, or give another port")
        data = self.home / "data"
        data.mkdir(parents=True, exist_ok=True)
        if not (data / "label_studio.sqlite3").exists():
            temporary = data / ".template"
            shutil.copyfile(self._installed / "template.sqlite3", temporary)
            temporary.replace(data / "label_studio.sqlite3")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                self._command(), env=environment(data) | self._files() | self._owner(), cwd=data, stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        try:
            self._wait(timeout_s)
            make_annotators(self.url, self.token, self.annotators)
        except BaseException:
            self.stop()
            raise

    def _command(self) -> list[str]:
        program = str(self._installed / "venv" / "bin" / "label-studio")
        return [program, "start", "--no-browser", "--internal-host", HOST, "--port", str(self._port)]

    def _files(self) -> dict[str, str]:
        self.files.mkdir(parents=True, exist_ok=True)
        return {"LOCAL_FILES_SERVING_ENABLED": "true", "LOCAL_FILES_DOCUMENT_ROOT": str(self.files)}

    def _owner(self) -> dict[str, str]:
        return {
            "LABEL_STUDIO_USERNAME": self.admin.email,
            "LABEL_STUDIO_PASSWORD": self.admin.password,
            "LABEL_STUDIO_USER_TOKEN": self.token,
        }

    def _wait(self, timeout_s: float) -> None:
        """Our token proves that it is our server: on a taken port, Label Studio takes another silently."""
        deadline = time.monotonic() + timeout_s
        headers = {"Authorization": f"Token {self.token}"}
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                raise LabelStudioError(f"Label Studio ended; its log is {self.log}: {_tail(self.log)}")
            try:
                answer = httpx.get(f"{self.url}/api/current-user/whoami", headers=headers, timeout=20)
            except httpx.TransportError:
                time.sleep(0.3)
                continue
            if answer.status_code == httpx.codes.OK:
                return
            time.sleep(0.3)
        raise LabelStudioError(
            f"Label Studio did not answer within {timeout_s:g} s; its log is {self.log}: {_tail(self.log)}"
        )

    def wait(self) -> int:
        """Wait until the server ends; gives its exit code."""
        return self._process.wait() if self._process is not None else 0

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """Ask it to end, and kill it where it does not in time."""
        if self._process is None or self._process.poll() is not None:
            return
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def running(installed: Path, home: Path, port: int) -> Iterator[LocalServer]:
    """A server that is ready inside the block and gone after it."""
    server = LocalServer(installed, home, port)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def is_taken(port: int) -> bool:
    """Whether something on this machine listens on a port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _tail(path: Path) -> str:
    return _end_of(path.read_text(errors="replace")) if path.is_file() else "empty"


def _end_of(text: str, chars: int = 500) -> str:
    """The last characters of a program's output, on one line."""
    return " ".join(text.split())[-chars:]


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("local_label_studio")
