"""What a killed process leaves behind is marked and cleared by the next step; nothing of anybody else's is."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from adaptml.leftovers import clear, locked, scratch_folder
from adaptml.runs.dead import HOST_TAG, PID_TAG, STARTED_TAG, mark_dead, process_tags
from adaptml.runs.tracking import RunStore
from adaptml.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")

STEP = """
import time
from adaptml.project import Project
with Project().runs.run("eg", "step", {}) as run:
    print(run.run_id, run.folder, flush=True)
    time.sleep(600)
"""


def test_a_step_that_was_killed_is_marked_and_cleared_by_the_next(
    tracking: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    runs = RunStore(tracking.tracking_uri)
    with subprocess.Popen(
        [sys.executable, "-c", STEP], env=environment, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout is not None
        run_id, _, folder = killed.stdout.readline().strip().partition(" ")
        scratch, long_ago = Path(folder), time.time() - 3600
        os.utime(scratch, (long_ago, long_ago))
        with runs.run("eg", "another", {}):  # while it lives
            assert runs.client.get_run(run_id).info.status == "RUNNING"
            assert scratch.exists()
        os.kill(killed.pid, signal.SIGKILL)
    with runs.run("eg", "another", {}):
        assert not scratch.exists()
    dead = runs.client.get_run(run_id)
    said = f"ended without a word: process {killed.pid} on {os.uname().nodename} is gone"
    assert (dead.info.status, dead.data.tags["error"]) == ("KILLED", said)
    assert dead.info.end_time is not None
    assert f"run {run_id} {said}; it is marked KILLED" in caplog.messages
    assert runs.client.search_runs([dead.info.experiment_id], "attributes.status = 'RUNNING'") == []


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, "RUNNING"),  # this process
        ({STARTED_TAG: "1"}, "KILLED"),  # its number, given again
        ({PID_TAG: "1", STARTED_TAG: ""}, "RUNNING"),
        ({PID_TAG: "", STARTED_TAG: "1"}, "RUNNING"),
        ({PID_TAG: str(2**22 + 1)}, "KILLED"),  # more than there can be
        ({PID_TAG: str(2**22 + 1), HOST_TAG: "0@elsewhere"}, "RUNNING"),
    ],
)
def test_whose_process_is_gone(tracking: Settings, changed: dict[str, str], status: str) -> None:
    client = RunStore(tracking.tracking_uri).client
    made = client.create_run("0", tags=process_tags() | changed).info.run_id
    mark_dead(client)
    assert client.get_run(made).info.status == status


def test_only_old_files_that_nobody_has_are_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old = [tmp_path / name for name in ("mine", "in_use", "link")]
    old[0].write_text("left")
    old[1].mkdir()
    (tmp_path / "new").write_text("just made")
    old[2].symlink_to(old[1])
    for path in old:
        os.utime(path, (1, 1), follow_symlinks=False)
    with locked(old[1]):
        clear([*old, tmp_path / "new", tmp_path / "absent"])
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "room") == [
        "in_use",
        "link",
        "new",
    ]
    with scratch_folder() as folder:
        (folder / "frame").write_text("data")
    assert not folder.exists()
