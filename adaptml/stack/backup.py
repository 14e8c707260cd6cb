"""`adaptml backup`: everything that the stack keeps, copied into a folder."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adaptml.stack.compose import Stack, StackError, docker

MANIFEST, SECRETS = "manifest.json", "secrets"
PRIVATE = 0o700
TASKS = "/app/tasks"  # where containers see the folder of tasks


@dataclass(frozen=True)
class Store:
    """A volume, or a folder of the host, that a service writes to.

    Attributes:
        key: its name in `.env`, in lower case, wherever it lies; names the copy.
        source: what Docker mounts: the volume's name or the folder's path.
    """

    key: str
    source: str

    @property
    def folder(self) -> Path | None:
        """The folder, if it is one."""
        return Path(self.source) if self.source.startswith("/") else None

    @property
    def file(self) -> str:
        """Name of its copy."""
        return file_of(self.key)


def file_of(key: str) -> str:
    """Name of a store's copy; backups of earlier versions name a folder's by its path."""
    return f"{key.strip('/').replace('/', '-')}.tar"


def stores(stack: Stack) -> list[Store]:
    """Every store that some service may write to, each once.

    The folder of tasks, which the page writes, is a person's own work and none of them: it is where it was
    after a restore, too.
    """
    config = stack.config()
    names = {place: name for name, place in stack.stores.items()}
    found: dict[str, Store] = {}
    for service in config["services"].values():
        for mount in service.get("volumes", []):
            if not mount.get("read_only") and mount["target"] != TASKS:
                key = str(mount["source"])
                source = str(config["volumes"][key]["name"]) if mount["type"] == "volume" else key
                found[source] = Store(names.get(key, key), source)
    return sorted(found.values(), key=lambda store: store.key)


def own_image(stack: Stack) -> str:
    """An image of ours that is here: the one that reads and writes archives.

    Raises:
        StackError: none has been built.
    """
    for service in stack.config()["services"].values():
        if "build" in service:
            try:
                docker("image", "inspect", service["image"])
            except StackError:
                continue
            return str(service["image"])
    raise StackError("no image of the stack is here; expected one: start the stack once with `adaptml up`")


@dataclass(frozen=True)
class Backup:
    """What was saved.

    Attributes:
        folder: where it lies.
        stores: what was copied.
        size_bytes: of the copies of the stores together.
        data_elsewhere: the data tables are in a database that is no part of the stack, and not in the backup.
    """

    folder: Path
    stores: list[Store]
    size_bytes: int
    data_elsewhere: bool


def backup(stack: Stack, folder: Path) -> Backup:
    """Stop the services that run, copy every store and the secrets, and start the services again.

    Stopped, all stores are of the same moment. The copy holds the passwords, so only its owner can read it.

    Args:
        stack: what to copy.
        folder: a folder that does not exist yet; it is there whole or not at all.

    Raises:
        StackError: the folder exists, or something cannot be copied.
    """
    with _unfinished(folder) as partial:
        image, kept = own_image(stack), stores(stack)
        with paused(stack):
            for store in kept:
                _copy(store, partial, image)
            shutil.copytree(stack.secrets, partial / SECRETS)
            manifest = {"made_at": datetime.now(UTC).isoformat(), "stores": [store.key for store in kept]}
            (partial / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
            partial.rename(folder)  # before the services start again: should one fail, the copy is whole
    size = sum(path.stat().st_size for path in folder.glob("*.tar"))
    return Backup(folder, kept, size, bool(stack.database_url))


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """A private folder to fill and to rename to `folder`; what is not renamed is removed in the end."""
    if folder.exists():
        raise StackError(f"{folder} exists; expected a new folder for the backup: name another one")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True, mode=PRIVATE)
    except OSError as error:
        raise StackError(
            f"{folder} cannot be made: {error.strerror}; expected a place that this user may write to"
        ) from error
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def paused(stack: Stack) -> Iterator[None]:
    """Stop the services that run, and start them again in the end, whatever happens between."""
    running = [str(found["Service"]) for found in stack.containers() if found["State"] == "running"]
    try:
        if running:
            stack.compose("stop", *running)
        yield
    finally:
        if running:
            # The same containers, even where `up` will start another image: a newer CrateDB converts data.
            stack.compose("up", "--detach", "--wait", "--no-build", "--no-recreate", *running)


def _copy(store: Store, folder: Path, image: str) -> None:
    """Write a store's archive, with the numbers of its owners, into a folder of the host."""
    docker(
        "run", "--rm", "--user", "0", "--network", "none", "--volume", f"{store.source}:/from:ro",
        "--volume", f"{folder.resolve()}:/to", image,
        "tar", "--create", "--numeric-owner", "--file", f"/to/{store.file}", "--directory", "/from", ".",
    )  # fmt: skip
