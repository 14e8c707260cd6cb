"""`adaptml backup` without the stack: the home folder as one archive, while steps are at work."""

import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from adaptml.addresses import sqlite_file
from adaptml.errors import FileError, one_line
from adaptml.files import PRIVATE, new_folder, replacing
from adaptml.project import Project

FORMAT = 1
MANIFEST, HOME = "manifest.json", "home"  # in the archive
_SQLITE = b"SQLite format 3\0"  # how every such file begins
_BESIDE = ("-journal", "-wal", "-shm")  # of a SQLite file in use; a copy of it has what they hold
_FIRST = ("portal.db", "mlflow.db", "data.db")  # what names other things is copied before them
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Saved:
    """What was saved.

    Attributes:
        file: the archive.
        files: how many files are in it.
        size_bytes: of the archive.
        left_out: what belongs to the project and is not in it, one line each.
    """

    file: Path
    files: int
    size_bytes: int
    left_out: list[str]


def backup(project: Project, file: Path) -> Saved:
    """Save a project's home folder in a new tar archive, which its owner alone can read.

    A SQLite file is copied as it is at one moment, whatever is written meanwhile. All of them come first, so
    that the files which they name are there. Tasks and settings are a person's own, and not in it.

    Args:
        project: whose home folder.
        file: where; it is there whole or not at all, and never takes the place of another.

    Raises:
        FileError: there is no home folder, `file` is there or in it, or something cannot be read or written.
    """
    home = project.settings.home
    if not home.is_dir():
        raise FileError(f"no folder {home}: nothing to save; expected the project's home folder")
    if file.exists() or file.is_symlink():
        raise FileError(f"{file} exists; expected a new file for the backup: name another one")
    if file.resolve().is_relative_to(home.resolve()):
        raise FileError(f"{file} is in {home}, which is to be saved; name a place outside of it")
    left_out = _elsewhere(project)
    with replacing(file, mode=PRIVATE) as temporary:
        scratch = new_folder(file.parent, f".{file.stem}-")
        scratch.chmod(0o700)
        try:
            with tarfile.open(temporary, "w") as archive:
                files = _fill(archive, home, scratch / "copy", left_out)
                made_at = datetime.now(UTC).isoformat()
                about = {"format": FORMAT, "made_at": made_at, "home": str(home), "files": files}
                _add_text(archive, MANIFEST, json.dumps(about | {"left_out": left_out}, indent=1))
        except sqlite3.Error as error:
            raise FileError(f"{home} cannot be saved: {one_line(error)}; try again") from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return Saved(file, files, file.stat().st_size, left_out)


def is_sqlite(path: Path) -> bool:
    """Whether a file is one of SQLite's, whatever its name."""
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _elsewhere(project: Project) -> list[str]:
    """Stores that are not in the home folder."""
    settings = project.settings
    stores = {
        "the data tables": settings.database_url.get_secret_value(),
        "tables of results": settings.results_database_url.get_secret_value(),
        "runs and models": settings.tracking_uri,
    }
    return [
        f"{what}, which are not in {settings.home}: save them by their own means"
        for what, address in stores.items()
        if address and not (sqlite_file(address) or Path("/")).is_relative_to(settings.home)
    ]


def _fill(archive: tarfile.TarFile, home: Path, copy: Path, left_out: list[str]) -> int:
    """Add every file of the home folder; returns how many."""
    databases: list[Path] = []
    others: list[Path] = []
    for path in _files(home, left_out):
        with suppress(FileNotFoundError):  # what goes meanwhile was a temporary file, or was to be removed
            (databases if is_sqlite(path) else others).append(path)
    databases.sort(key=lambda path: _FIRST.index(path.name) if path.name in _FIRST else len(_FIRST))
    for path in databases:
        _copy_database(path, copy)
        _add(archive, copy, path, home)
        copy.unlink()
    count = len(databases)
    for path in others:
        with suppress(FileNotFoundError):
            _add(archive, path, path, home)
            count += 1
    return count


def _files(home: Path, left_out: list[str]) -> Iterator[Path]:
    """All files; what is behind a link is elsewhere, and said."""
    for name, folders, files in os.walk(home):
        folder = Path(name)
        links = [folder / one for one in (*folders, *files) if (folder / one).is_symlink()]
        left_out += [f"what is behind the link {link}: save it by its own means" for link in links]
        for path in (folder / one for one in sorted(files)):
            beside = any(
                path.name.endswith(end) and path.with_name(path.name.removesuffix(end)).exists()
                for end in _BESIDE
            )
            if path.is_file() and not path.is_symlink() and not beside:
                yield path


def _copy_database(path: Path, copy: Path) -> None:
    """As of one moment; writers wait until it is copied."""
    address = f"{path.resolve().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE_S)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # all of it in one file


def _add(archive: tarfile.TarFile, content: Path, path: Path, home: Path) -> None:
    with content.open("rb") as file:
        member = archive.gettarinfo(arcname=f"{HOME}/{path.relative_to(home)}", fileobj=file)
        member.mode, member.mtime = path.stat().st_mode & 0o777, path.stat().st_mtime
        member.uid, member.gid, member.uname, member.gname = 0, 0, "", ""  # whoever restores it owns it
        archive.addfile(member, file)


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode()
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, BytesIO(content))
