"""What travels to a worker: the name of a chunk function, what its chunks have in common, and a chunk.

Never code and no setting: a worker imports the function by its name, reads the task from its own folder, and
the address of the database from its own settings.
"""

import json
import logging
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import adaptml
from adaptml.errors import AdaptmlError, DatabaseError, ScaleError, UnknownTableError
from adaptml.project import Project
from adaptml.settings import Settings
from adaptml.tasks import Task

if TYPE_CHECKING:
    from adaptml.database import Database

Chunk = Any  # plain: text, numbers, lists of them; a worker gives back the same, and arrays
ChunkFunction = Callable[[Chunk], Any]
# What gets a chunk function ready: project, task and what the chunks have in common.
Begin = Callable[[Project, Task, Mapping[str, Any]], ChunkFunction]
_B = TypeVar("_B", bound=Begin)
_CHUNKS = "runs_chunks"
_HASHED_BYTES = 1 << 20
_log = logging.getLogger(__name__)


def runs_chunks(begin: _B) -> _B:
    """Mark a function that gets a chunk function ready: workers run these and no others."""
    setattr(begin, _CHUNKS, True)
    return begin


@dataclass(frozen=True)
class Work:
    """What the chunks of one step have in common.

    Attributes:
        begin: `module:name` of a function marked by `runs_chunks`.
        task: name of the task.
        setting: multiclass or multilabel.
        digest: of all files in the task's folder.
        version: ours.
        databases: what the data tables and those that steps make are in, as `identity` tells them.
        said: what else `begin` is told, as JSON.
        run: another one each time, so that nothing of an earlier step is taken for this one's.
    """

    begin: str
    task: str
    setting: str
    digest: str
    version: str
    databases: tuple[str, str]
    said: str
    run: str

    @classmethod
    def of(cls, begin: Begin, project: Project, task: Task, said: Mapping[str, Any]) -> "Work":
        """The work of a step of a project on a task.

        Raises:
            ScaleError: it is told something that is no text, number, or list or mapping of these.
            DatabaseUnavailableError: the project's database is away.
        """
        digest = "" if task.folder is None else folder_digest(task.folder)
        name = f"{begin.__module__}:{begin.__name__}"
        try:
            told = json.dumps(said)
        except TypeError as error:
            raise ScaleError(
                f"what this step is told cannot be sent to workers: {error}; give text and numbers"
            ) from error
        of_data = _known(project.database)
        of_results = of_data if project.results is project.database else _known(project.results)
        known = (of_data, of_results)
        return cls(name, task.name, task.setting, digest, adaptml.__version__, known, told, uuid4().hex)


def _known(database: "Database") -> str:
    """Which database it is; empty where it does not tell, which is a warning."""
    from adaptml.database.identity import identity  # a scheduler needs none

    known = identity(database)
    if not known:
        _log.warning("the database %s does not tell which one it is: workers may have another", database.name)
    return known


def folder_digest(folder: Path) -> str:
    """A hash of all files of a task's folder, names and contents; bytecode and hidden files aside."""
    files = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if (
            not any(part.startswith(".") or part == "__pycache__" for part in name.split("/"))
            and path.is_file()
        ):
            state = path.stat()
            files.append((name, state.st_size, state.st_mtime_ns))
    return _digest(folder, tuple(sorted(files)))


@lru_cache(maxsize=8)  # it is asked for with every chunk, and a task may have long lists
def _digest(folder: Path, files: tuple[tuple[str, int, int], ...]) -> str:
    made = sha256()
    for name, size, _ in files:
        made.update(f"{name}\0{size}\0".encode())
        with (folder / name).open("rb") as file:
            while block := file.read(_HASHED_BYTES):
                made.update(block)
    return made.hexdigest()


@contextmanager
def _saying(where: str) -> Iterator[None]:
    """What a worker lacks is told with its name; what is wrong with a row or a rule is not its fault."""
    try:
        yield
    except ScaleError:
        raise
    except UnknownTableError as error:  # whoever asks has seen the table
        raise ScaleError(
            f"{where}: {error}; give it the database of whoever asks (ADAPTML_DATABASE_URL, "
            "ADAPTML_RESULTS_DATABASE_URL)"
        ) from error
    except DatabaseError as error:
        raise ScaleError(f"{where}: {error}") from error
    except OSError as error:
        raise ScaleError(
            f"{where}: {error.strerror or error} ({error.filename or 'no file named'})"
        ) from error


def run_chunk(work: Work, chunk: Chunk, settings: Settings, where: str, task: bytes | None = None) -> Any:
    """Do one chunk, in a process that is a worker.

    Args:
        work: what the chunks have in common.
        chunk: the one.
        settings: the worker's own.
        where: what the worker is called in messages.
        task: the task itself, pickled by this process's parent, where it has no folder.

    Raises:
        ScaleError: the worker has another version of the task or of ours, or another database or none, or
            lacks what the chunk function needs to get ready.
        AdaptmlError: whatever the chunk function raises.
    """
    with _saying(where):
        if task is None:
            _check(work, settings, where)
        return _ready(work, settings, where, task)(chunk)


def _check(work: Work, settings: Settings, where: str) -> None:
    """Refuse what would come out otherwise here than where it was asked."""
    if work.version != adaptml.__version__:
        raise ScaleError(
            f"{where} has ADaPT-ML {adaptml.__version__} and {work.version} asks; install the same there"
        )
    folder = settings.tasks_dir / work.task
    if not folder.is_dir():
        raise ScaleError(f"{where} has no task {work.task!r} in {settings.tasks_dir}; copy the folder there")
    if folder_digest(folder) != work.digest:
        raise ScaleError(
            f"{where} has another version of the task {work.task!r} in {folder}; copy the folder there again"
        )


@lru_cache(maxsize=1)
def _ready(work: Work, settings: Settings, where: str, task: bytes | None) -> ChunkFunction:
    """The chunk function, ready: rules loaded, models read. One at a time is kept."""
    module, _, name = work.begin.partition(":")
    begin = getattr(import_module(module), name, None)
    if begin is None or not getattr(begin, _CHUNKS, False):
        raise ScaleError(f"{where} runs no {work.begin!r}: it is no chunk function")
    project = _project(settings)
    try:
        _check_databases(work, project)
        made = work.task if task is None else pickle.loads(task)  # noqa: S301 - by this process's parent
        return begin(project, project.task(made, work.setting), json.loads(work.said))  # type: ignore[no-any-return]
    except DatabaseError:
        raise  # which says more
    except AdaptmlError as error:
        raise ScaleError(f"{where}: {error}") from error


def _check_databases(work: Work, project: Project) -> None:
    """Refuse rows that are others, and results that nobody would find."""
    here = (project.database, project.results)
    variables = ("ADAPTML_DATABASE_URL", "ADAPTML_RESULTS_DATABASE_URL")
    for asked, database, variable in zip(work.databases, here, variables, strict=True):
        known = _known(database) if asked else ""
        if known and known != asked:
            raise ScaleError(
                f"the database {database.name} is another one than that of whoever asks; give it the same "
                f"({variable})"
            )


@lru_cache(maxsize=1)
def _project(settings: Settings) -> Project:
    return Project(settings=settings.replaced())  # which has this process know the secrets in them
