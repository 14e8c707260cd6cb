"""A home folder saved while it is written to, and put back elsewhere, as another user."""

import io
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.embedded.backup import HOME, MANIFEST, backup
from adaptml.embedded.restore import restore
from adaptml.errors import FileError
from adaptml.project import Project
from adaptml.settings import Settings

# MLflow's own use of SQLAlchemy.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")
NOBODY = 65534
REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def run_id(project: Project, tracking: Settings) -> str:
    """A home folder with a table, a complete run and a private file."""
    project.database.create_table("t", {"id": sa.Text(), "n": sa.Integer()}, ["id"])
    project.database.upsert("t", pd.DataFrame({"id": ["1"], "n": [7]}), ["id"])
    with project.runs.run("eg", "step", {}) as run:
        (run.folder / "file.txt").write_text("of the run")
    private = tracking.home / "portal" / "key"
    private.parent.mkdir()
    private.write_text("x")
    private.chmod(0o600)
    return run.run_id


@pytest.fixture
def elsewhere(tmp_path: Path) -> Project:
    return Project(tmp_path, settings=Settings(_env_file=None, root=tmp_path, home=tmp_path / "new" / "home"))  # type: ignore[call-arg]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_is_restored_elsewhere_works_there(
    project: Project, run_id: str, elsewhere: Project, tmp_path: Path
) -> None:
    done = backup(project, tmp_path / "saved.tar")
    assert (tmp_path / "saved.tar").stat().st_mode & 0o777 == 0o600
    assert done.left_out == []
    said = restore(elsewhere, done.file)
    assert (said["home"], said["files"]) == (str(project.settings.home), done.files)
    home = elsewhere.settings.home
    assert contents(home).keys() == contents(project.settings.home).keys()
    assert (home / "portal" / "key").stat().st_mode & 0o777 == 0o600
    shutil.rmtree(project.settings.home)
    keys = pd.DataFrame({"table_name": ["t"], "id": ["1"]})
    with elsewhere:
        assert elsewhere.database.read(keys, ["n"])["n"].tolist() == [7]
        assert elsewhere.runs.artifact(run_id, "file.txt", home).read_text() == "of the run"
    assert not project.settings.home.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "room", "saved.tar"]


def test_a_copy_that_is_made_while_writers_are_at_work_is_of_one_moment(
    clean_room: Path, project: Project, elsewhere: Project, tmp_path: Path
) -> None:
    home, stop = project.settings.home, Event()
    home.mkdir()
    with closing(sqlite3.connect(home / "data.db")) as db:
        db.executescript("CREATE TABLE t (n, pair, filling); CREATE INDEX i ON t (n)")

    def write() -> None:
        with closing(sqlite3.connect(home / "data.db", timeout=60)) as mine:
            n = 0
            while not stop.is_set():
                with mine:  # two rows in one transaction
                    mine.executemany("INSERT INTO t VALUES (?, ?, ?)", [(n, i, "x" * 2_000) for i in (0, 1)])
                n += 1

    writer = Thread(target=write)
    writer.start()
    try:
        files = [backup(project, tmp_path / f"{n}.tar").file for n in range(5)]
    finally:
        stop.set()
        writer.join()
    for file in files:
        restore(elsewhere, file)
        with closing(sqlite3.connect(elsewhere.settings.home / "data.db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert db.execute("SELECT n FROM t GROUP BY n HAVING count(*) <> 2").fetchall() == []
        shutil.rmtree(elsewhere.settings.home)


@pytest.fixture
def theirs() -> Iterator[Path]:
    """An empty folder that others may enter; pytest's own, where root runs it, they may not."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_restores_and_works_on(project: Project, run_id: str, theirs: Path) -> None:
    backup(project, theirs / "saved.tar").file.chmod(0o644)
    (theirs / "tasks").mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    code = f"""
import os
from pathlib import Path
from adaptml.embedded.restore import restore
from adaptml.project import Project

def restore_and_work_on(home):
    os.environ["ADAPTML_HOME"] = home
    with Project() as project:
        restore(project, Path("saved.tar"))
        read = project.runs.artifact({run_id!r}, "file.txt", Path()).read_text()
        with project.runs.run("eg", "another", {{}}) as run:
            (run.folder / "file.txt").write_text("theirs")
    return read, run.artifact_uri

restore_and_work_on("root")  # everything is imported now: this Python may lie where others may not enter
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
print(*restore_and_work_on("workspace"), sep="\\n")
"""
    environment = os.environ | {"HOME": str(theirs), "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=theirs, env=environment, capture_output=True, text=True, check=False
    )
    lines = done.stdout.split("\n")
    assert lines[0] == "of the run", done.stderr[-2000:]
    assert lines[1].startswith((theirs / "workspace" / "mlruns").as_uri())


def test_what_is_left_out_is_said(project: Project, tmp_path: Path, clean_room: Path) -> None:
    home = project.settings.home
    home.mkdir()
    (home / "media").symlink_to(tmp_path)
    elsewhere = project.settings.replaced(
        database_url="sqlite:///other.db", tracking_uri="http://127.0.0.1:9"
    )
    with Project(settings=elsewhere) as moved:
        done = backup(moved, tmp_path / "saved.tar")
    assert done.left_out == [
        f"the data tables, which are not in {home}: save them by their own means",
        f"runs and models, which are not in {home}: save them by their own means",
        f"what is behind the link {home / 'media'}: save it by its own means",
    ]


def test_a_backup_never_takes_the_place_of_a_file(project: Project, run_id: str, tmp_path: Path) -> None:
    there, within = tmp_path / "there", project.settings.home / "saved.tar"
    there.write_text("x")
    for file, said in ((there, "exists; expected a new file"), (within, "name a place outside of it")):
        with pytest.raises(FileError, match=said):
            backup(project, file)
    assert there.read_text() == "x"
    shutil.rmtree(project.settings.home)
    with pytest.raises(FileError, match="nothing to save"):
        backup(project, tmp_path / "saved.tar")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["room", "there"]


def archive_of(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, target, 1 if kind == tarfile.REGTYPE else 0
    return made


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no whole backup"),
        (b"something else" * 100, "no whole backup"),
        (archive_of(), "no whole backup"),
        (archive_of(member(f"{HOME}/a")), f"has no {MANIFEST}"),
        (archive_of(member(f"{HOME}/../../a")), "outside"),
        (archive_of(member("/etc/a")), "holds '/etc/a'"),
        (archive_of(member(f"{HOME}/a", tarfile.SYMTYPE, "/etc/passwd")), "holds 'home/a'"),
        (archive_of(member(f"{HOME}/a", tarfile.LNKTYPE, "/etc/passwd")), "holds 'home/a'"),
        (archive_of(member(f"{HOME}/a", tarfile.FIFOTYPE)), "holds 'home/a'"),
    ],
)
def test_what_is_no_backup_is_refused(elsewhere: Project, tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "given.tar"
    file.write_bytes(content)
    with pytest.raises(FileError, match=said) as caught:
        restore(elsewhere, file)
    assert "\n" not in str(caught.value)
    assert not elsewhere.settings.home.exists()
    assert [path.name for path in elsewhere.settings.home.parent.iterdir()] == []


@pytest.mark.parametrize("shorten", [lambda whole: whole[: len(whole) // 2], lambda whole: whole[:2048]])
def test_half_a_backup_is_refused(
    project: Project, run_id: str, elsewhere: Project, tmp_path: Path, shorten: Callable[[bytes], bytes]
) -> None:
    file = backup(project, tmp_path / "saved.tar").file
    file.write_bytes(shorten(file.read_bytes()))
    with pytest.raises(FileError, match=r"no whole backup|and says"):
        restore(elsewhere, file)
    assert not elsewhere.settings.home.exists()


def test_a_home_that_holds_files_is_never_restored_over(
    project: Project, run_id: str, tmp_path: Path
) -> None:
    file = backup(project, tmp_path / "saved.tar").file
    before = contents(project.settings.home)
    with pytest.raises(FileError, match="is not empty; expected an empty home folder"):
        restore(project, file)
    assert contents(project.settings.home) == before


def test_the_commands(project: Project, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = CliRunner().invoke(app, ["backup", str(tmp_path / "saved.tar")])
    assert saved.exit_code == 0, saved.stderr
    assert "tasks, settings and secrets" in saved.stdout
    monkeypatch.setenv("ADAPTML_HOME", str(tmp_path / "another"))
    restored = CliRunner().invoke(app, ["restore", str(tmp_path / "saved.tar")])
    assert restored.exit_code == 0, restored.stderr
    assert str(tmp_path / "another") in restored.stdout
    assert "t " in CliRunner().invoke(app, ["tables"]).stdout
