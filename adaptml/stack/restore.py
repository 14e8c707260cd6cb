"""`adaptml restore`: a backup back into an empty stack."""

import json
from collections.abc import Iterable
from pathlib import Path

from adaptml.errors import listed
from adaptml.stack.backup import MANIFEST, SECRETS, Store, file_of, own_image, stores
from adaptml.stack.compose import ALL_PROFILES, Stack, StackError, docker
from adaptml.stack.folders import make_folders
from adaptml.stack.secrets import make_secrets, write_private


def restore(stack: Stack, folder: Path) -> list[Store]:
    """Fill the stores of a stack that has none, and put back the secrets that they were made with.

    Args:
        stack: a stack without containers and with empty stores.
        folder: what `backup` wrote.

    Returns:
        What was filled.

    Raises:
        StackError: the folder is no backup, or the stack is not empty.
    """
    if not (folder / MANIFEST).is_file():
        raise StackError(f"{folder} is no backup: it has no {MANIFEST}; expected what `adaptml backup` wrote")
    saved = set(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["stores"])
    if stack.containers():
        raise StackError("the stack has containers; expected none: stop it with `adaptml down` first")
    # A backup of an earlier version names folders by their paths.
    copies = {store: store.key if store.key in saved else store.source for store in stores(stack)}
    wanted = {store: folder / file_of(key) for store, key in copies.items() if key in saved}
    image = own_image(stack)
    _check_empty(wanted, image)
    _put_back_secrets(stack, folder / SECRETS)
    make_folders(stack)
    stack.compose(
        "create", "--no-build", profiles=[ALL_PROFILES]
    )  # Compose's own volumes, under its own labels
    for store, copy in wanted.items():
        _fill(store, copy, image, stack.owner)
    return list(wanted)


def _check_empty(wanted: Iterable[Store], image: str) -> None:
    full = [store.source for store in wanted if _holds_files(store, image)]
    if full:
        raise StackError(
            f"{listed(full)} holds files; expected empty stores: "
            "name new ones in .env.dev (STACK_NAME and DATA_PATH name them all), or remove these"
        )


def _put_back_secrets(stack: Stack, saved: Path) -> None:
    for path in saved.iterdir():
        stack.secrets.mkdir(parents=True, exist_ok=True)
        write_private(path.read_text(encoding="utf-8"), stack.secrets / path.name, stack.owner)
    make_secrets(stack)


def _fill(store: Store, copy: Path, image: str, owner: tuple[int, int]) -> None:
    """A volume becomes what it was; a folder of the host keeps its mode, and all in it is its owner's."""
    extract = "tar --extract --numeric-owner --preserve-permissions --file /from/$COPY --directory /to"
    if store.folder:
        extract += f" --no-overwrite-dir && chown -R {owner[0]}:{owner[1]} /to"
    docker(
        "run", "--rm", "--user", "0", "--network", "none", "--volume", f"{store.source}:/to",
        "--volume", f"{copy.parent.resolve()}:/from:ro", "--env", f"COPY={copy.name}", image,
        "sh", "-c", extract,
    )  # fmt: skip


def _holds_files(store: Store, image: str) -> bool:
    """Whether a store has content; one that does not exist has none, and is not made by asking."""
    if store.folder:
        if not store.folder.exists():  # asking Docker would make it
            return False
    else:
        try:
            docker("volume", "inspect", store.source)
        except StackError:
            return False
    listing = docker(
        "run", "--rm", "--user", "0", "--network", "none", "--volume", f"{store.source}:/from:ro", image,
        "ls", "--almost-all", "/from",
    )  # fmt: skip
    return bool(listing.strip())
