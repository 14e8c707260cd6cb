"""The file of a task's rules, written by several people and programs: nothing is overwritten unseen.

Every save is kept in the home folder, with who saved and when, and so is what the file held before it where
somebody else had changed it.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from difflib import unified_diff
from hashlib import blake2b
from pathlib import Path

from adaptml.errors import FileError, TaskError
from adaptml.files import write_text
from adaptml.project import Project
from adaptml.tasks.schema import Task

NAME = "lfs.py"
ELSEWHERE = ""  # who changed a file that none of the saves wrote
MAX_BYTES = 2 << 20
_INDEX = "saves.jsonl"


class ChangedElsewhereError(FileError):
    """The file is another one than the one that was edited.

    Attributes:
        now: what it holds now.
    """

    def __init__(self, path: Path, now: str) -> None:
        self.now = now
        super().__init__(f"{path} was changed since it was opened; look at the difference, then save again")


@dataclass(frozen=True)
class Save:
    """One version of the file.

    Attributes:
        number: from 1; a later one is higher.
        when: UTC, ISO 8601.
        who: the person's name; empty for a version that was written by other means than `save_rules`.
        digest: of its text, see `digest_of`.
    """

    number: int
    when: str
    who: str
    digest: str


def rules_path(task: Task) -> Path:
    """The file of a task's rules.

    Raises:
        TaskError: the task was made in Python and has none.
    """
    if task.folder is None:
        raise TaskError(
            f"the task {task.name!r} was made in Python and has no file of rules; edit your program"
        )
    return task.folder / NAME


def read_rules(task: Task) -> str:
    """The text of the file; empty where there is none.

    Raises:
        TaskError: it cannot be read as UTF-8 text, or the task has no folder.
    """
    path = rules_path(task)
    try:
        return path.read_bytes().decode("utf-8")  # line ends as they are
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(
            f"{path} cannot be read ({error}); expected a text in UTF-8: save it as such with another editor"
        ) from error


def digest_of(text: str) -> str:
    """A digest of a text, 32 hexadecimal digits, by which a changed file is known."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def save_rules(project: Project, task: Task, text: str, *, base: str, who: str) -> Save:
    """Write the file, whole or not at all, and keep the version.

    Args:
        project: in whose home folder versions are kept.
        task: whose rules.
        text: what the file holds from now on.
        base: digest of the text that the person began with.
        who: her name.

    Returns:
        The newest version, which is an old one where nothing changed.

    Raises:
        ChangedElsewhereError: the file holds neither that text nor this one.
        FileError: it cannot be written, or is too long.
    """
    path, now = rules_path(task), read_rules(task)
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise FileError(f"{path} cannot be longer than {MAX_BYTES:,} bytes; move data into files beside it")
    if digest_of(now) not in (base, digest_of(text)):
        raise ChangedElsewhereError(path, now)
    known = saves(project, task)
    if now and (not known or known[0].digest != digest_of(now)):
        _keep(project, task, now, ELSEWHERE)
    if now != text:
        write_text(text, path)
    known = saves(project, task)
    return known[0] if known and known[0].digest == digest_of(text) else _keep(project, task, text, who)


def saves(project: Project, task: Task) -> list[Save]:
    """The versions that are kept, the newest first."""
    path = project.settings.workbench(task.name) / _INDEX
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Save(**json.loads(line)) for line in reversed(lines)]


def text_of_save(project: Project, task: Task, number: int) -> str:
    """The text of a version.

    Raises:
        FileError: no such version.
    """
    path = _file(project, task, number)
    if not path.is_file():
        raise FileError(f"the rules of {task.name!r} have no save {number}; choose one of the list")
    return path.read_bytes().decode("utf-8")


def difference(before: str, after: str, names: tuple[str, str] = ("before", "after")) -> list[str]:
    """The lines of a unified diff, without their ends; none where both are the same.

    >>> difference("a\\nb\\n", "a\\nc\\n")[3:]
    [' a', '-b', '+c']
    """
    return list(unified_diff(before.splitlines(), after.splitlines(), *names, lineterm=""))


def _keep(project: Project, task: Task, text: str, who: str) -> Save:
    folder = project.settings.workbench(task.name)
    known = saves(project, task)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    made = Save(known[0].number + 1 if known else 1, when, who, digest_of(text))
    write_text(text, _file(project, task, made.number))
    # The index is last, and whole: a version that it does not name was never there.
    lines = [json.dumps(asdict(save), ensure_ascii=False) for save in (*reversed(known), made)]
    write_text("\n".join(lines) + "\n", folder / _INDEX)
    return made


def _file(project: Project, task: Task, number: int) -> Path:
    return project.settings.workbench(task.name) / "saves" / f"{number:05d}.py"
