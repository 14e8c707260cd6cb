"""The scripts of the container `crate-db`, run by bash against a server that answers as a CrateDB does."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cratedb_server import Recorder, recording

REPOSITORY = Path(__file__).resolve().parents[4]
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the scripts ask with curl")


def run(name: str, server: Recorder, folder: Path, last: str = "") -> int:
    """A script with this machine's places in place of the container's, up to where it starts the server."""
    (folder / "password").write_text("secret")
    text = (REPOSITORY / "docker" / name).read_text().partition("make_user &")[0] + last
    for place, here in (
        ("/run/secrets/database_password", f"{folder}/password"),
        ("localhost:4200", f"127.0.0.1:{server.server_port}"),
        ("/data/", f"{folder}/"),
    ):
        assert place in text or place == "/data/"
        text = text.replace(place, here)
    return subprocess.run(["bash", "-c", text], check=False, timeout=60).returncode


@needs_curl
def test_the_server_is_healthy_when_every_shard_is_started(tmp_path: Path) -> None:
    with recording() as server:
        assert run("health-crate-db.sh", server, tmp_path) == 0
        server.unstarted = 2
        assert run("health-crate-db.sh", server, tmp_path) == 1
        assert "\"primary\" AND state <> 'STARTED'" in server.statements[-1]


@needs_curl
def test_the_server_s_version_is_noted_beside_its_data(tmp_path: Path) -> None:
    with recording() as server:
        assert run("entry-crate-db.sh", server, tmp_path, "make_user") == 0
        assert any("CREATE USER adaptml" in statement for statement in server.statements)
    assert (tmp_path / "crate-version").read_text() == "6.4.3\n"


@needs_curl
@pytest.mark.parametrize(("name", "last"), [("entry-crate-db.sh", "make_user"), ("health-crate-db.sh", "")])
def test_no_password_stands_in_a_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, last: str
) -> None:
    """Every user of the machine can read it there: a program in curl's place notes its words and goes on as curl."""
    program = tmp_path / "bin" / "curl"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/bash\nprintf "%s\\n" "$*" >>{tmp_path}/words\nexec {shutil.which("curl")} "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with recording() as server:
        assert run(name, server, tmp_path, last) == 0
        assert last == "" or any("password = 'secret'" in statement for statement in server.statements)
    words = (tmp_path / "words").read_text()
    assert "_sql" in words
    assert "secret" not in words
