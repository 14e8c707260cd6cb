"""What a command does where its output cannot be written, or cannot be said in the terminal's encoding."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from adaptml.cli.streams import EXIT_CLOSED_PIPE, EXIT_UNSAID

SAY = """
import sys, pathlib
from adaptml.cli.support import output, run_command
def command() -> None:
    output().print("caf\\u00e9 \\U0001f3c3 \\udce9")
    sys.stdout.flush()
    output().print("more")
    pathlib.Path("done").touch()
run_command(command)
"""


def said(how: str, code: str = SAY, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run some code with its output led somewhere by a shell."""
    program = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"
    return subprocess.run(
        ["bash", "-c", f"{program} {how}"], capture_output=True, check=False, env=os.environ | environment
    )


@pytest.mark.parametrize(
    ("how", "code", "error"),
    [
        (">/dev/full", EXIT_UNSAID, "No space left on device"),
        (">&-", EXIT_UNSAID, "it is closed"),
        ("2>/dev/full", 0, ""),
        ("2>&-", 0, ""),
        ("| true; exit ${PIPESTATUS[0]}", EXIT_CLOSED_PIPE, ""),
    ],
)
def test_what_nobody_takes_ends_no_command(how: str, code: int, error: str, clean_room: Path) -> None:
    done = said(how)
    assert done.returncode == code
    assert (clean_room / "done").exists()
    lines = done.stderr.decode().splitlines()
    assert len(lines) == bool(error)
    assert all(line.startswith("error: all was done, but ") and line.endswith(error) for line in lines)


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("utf-8", "café 🏃 \\udce9".encode()),
        ("latin-1", b"caf\xe9 \\U0001f3c3 \\udce9"),
    ],
)
def test_a_terminal_without_most_characters_sees_their_numbers(encoding: str, line: bytes) -> None:
    done = said("", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stdout, done.stderr) == (0, line + b"\nmore\n", b"")
    plain = said("", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0", LC_ALL="C")
    assert plain.stdout == b"caf\\xe9 \\U0001f3c3 \\udce9\nmore\n"


def test_errors_and_warnings_are_seen_when_they_are_said() -> None:
    code = """
import os, sys
from adaptml.cli.streams import make_patient
make_patient()
sys.stderr.write("first\\n")
os.write(2, b"second\\n")
"""
    assert said("", code).stderr == b"first\nsecond\n"


def test_a_command_that_failed_keeps_its_code() -> None:
    code = SAY.replace("pathlib.Path", "raise __import__('adaptml').SettingsError('no'); pathlib.Path")
    done = said(">/dev/full", code)
    assert (done.returncode, done.stderr) == (1, b"error: no\n")
