"""`adaptml backup`: everything that the stack keeps, copied into a folder."""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from adaptml.cli.support import output, run_command
from adaptml.errors import listed
from adaptml.stack import Stack, StackError, docker, open_stack

MANIFEST, SECRETS = "manifest.json", "secrets"
PRIVATE = 0o700


@dataclass(frozen=True)
class Store:
    """A volume, or a folder of the host, that a service writes to.

    Attributes:
        key: its name in the Compose file, or the folder's path where `.env` names one; names the copy.
        source: what Docker mounts: the volume's name or the folder's path.
    """

    key: str
    source: str

    @property
    def file(self) -> str:
        """Name of its copy."""
        return f"{self.key.strip('/').replace('/', '-')}.tar"


def stores(stack: Stack) -> list[Store]:
    """Every store that some service may write to, each once."""
    config = stack.config()
    found: dict[str, Store] = {}
    for service in config["services"].values():
        for mount in service.get("volumes", []):
            if not mount.get("read_only"):
                key = str(mount["source"])
                source = str(config["volumes"][key]["name"]) if mount["type"] == "volume" else key
                found[source] = Store(key, source)
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


def backup(stack: Stack, folder: Path) -> list[Store]:
    """Stop the services that run, copy every store and the secrets, and start the services again.

    Stopped, all stores are of the same moment. The copy holds the passwords, so only its owner can read it.

    Args:
        stack: what to copy.
        folder: a folder that does not exist yet; it is there whole or not at all.

    Raises:
        StackError: the folder exists, or something cannot be copied.
    """
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
    running: list[str] = []
    try:
        if stack.database_url:
            output().print(
                "the data tables are in a database elsewhere, which has to be saved by its own means"
            )
        image, kept = own_image(stack), stores(stack)
        running = [str(found["Service"]) for found in stack.containers() if found["State"] == "running"]
        if running:
            stack.compose("stop", *running)
        for store in kept:
            docker(
                "run", "--rm", "--user", "0", "--network", "none", "--volume", f"{store.source}:/from:ro",
                "--volume", f"{partial.resolve()}:/to", image,
                "tar", "--create", "--numeric-owner", "--file", f"/to/{store.file}",
                "--directory", "/from", ".",
            )  # fmt: skip
        shutil.copytree(stack.secrets, partial / SECRETS)
        manifest = {"made_at": datetime.now(UTC).isoformat(), "stores": [store.key for store in kept]}
        (partial / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if running:
            stack.compose("up", "--detach", "--wait", "--no-build", *running)
    return kept


def command(
    folder: Annotated[Path, typer.Argument(help="A new folder for the copy.")],
) -> None:
    """Copy all data of the Docker stack and its secrets into a folder; it pauses meanwhile.

    Example: `backup /backups/monday`
    """
    kept = backup(open_stack(), folder)
    size = sum(path.stat().st_size for path in folder.glob("*.tar"))
    console = output()
    console.print(f"{len(kept)} stores, {size / 1e6:.0f} MB in {folder}: {listed([s.key for s in kept], 20)}")
    console.print("keep the folder private: it holds the stack's passwords")


if __name__ == "__main__":
    run_command(command)
