"""`adaptml import` on the host: files of this machine into the stack's database."""

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from adaptml.stack.compose import Stack, StackError
from adaptml.stack.host import execute, step

SERVICE = "dp-mlflow"
FOLDER = "/unlabeled_data/.imports"  # in a volume: the rest of the container is read-only, /tmp is memory


def import_files(stack: Stack, files: Sequence[Path], table: str, options: Sequence[str] = ()) -> None:
    """Copy files into a container, import them there, and remove the copies; what it prints is shown.

    Args:
        stack: it runs.
        files: files, no folders.
        table: the table's name.
        options: those of `adaptml import`, as they are typed.

    Raises:
        StackError: the stack does not run, a file is not there, or the import fails.
    """
    absent = [path for path in files if not path.is_file()]
    if absent:
        raise StackError(f"no file {absent[0]}; expected files to copy into the stack: see how it is spelt")
    folder = f"{FOLDER}/{uuid4().hex}"
    execute(stack, SERVICE, "mkdir", "-p", folder)
    try:
        copies = [_copied(stack, path, f"{folder}/{place}") for place, path in enumerate(files)]
        step(stack, SERVICE, "import", *copies, table, *options)
    finally:
        execute(stack, SERVICE, "rm", "-r", folder)


def _copied(stack: Stack, path: Path, folder: str) -> str:
    """The path of a file's copy; it keeps its name, in a folder of its own."""
    copy = f"{folder}/{path.name}"
    execute(stack, SERVICE, "mkdir", folder)
    with path.open("rb") as file:
        execute(stack, SERVICE, "dd", f"of={copy}", "bs=1M", "status=none", stdin=file)
    return copy
