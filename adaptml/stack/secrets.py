"""The stack's secrets: random, made once, in files that only their owner can read."""

import secrets
from pathlib import Path

from adaptml.files import PRIVATE, replacing
from adaptml.scale.certificates import FILES, make_certificates
from adaptml.stack.compose import Stack, StackError
from adaptml.stack.folders import give

KEEP_OUT_OF_GIT = "# Secrets: nothing in this folder is tracked.\n*\n"
DATABASE_SETTINGS = "database_settings"
CERTIFICATES = "scale_certificates"  # the three files of these are one secret
PASSWORDS = (
    "api_key",
    "database_password",
    "dp_mlflow_db_password",
    "modelling_mlflow_db_password",
    "label_studio_password",
    "label_studio_token",
    "label_studio_key",
    "worker_annotation_token",
    "worker_labelling_token",
    "worker_modelling_token",
)


def make_secrets(stack: Stack) -> list[str]:
    """Make those secrets that are not there yet; those that are stay as they are.

    `database_settings` is the settings file that containers read, with the address of the database: the
    stack's own, or the one that `STACK_DATABASE_URL` names now.

    Returns:
        Names of the secrets that were made.

    Raises:
        StackError: their folder cannot be written, such as because it is somebody else's.
    """
    folder = _private_folder(stack)
    made = []
    for name in PASSWORDS:
        if not _is_filled(folder / name):
            # Hexadecimal, so that no address, SQL statement or shell needs it quoted.
            write_private(secrets.token_hex(20), folder / name, stack.owner)
            made.append(name)
    password = (folder / "database_password").read_text(encoding="utf-8").strip()
    if not all(_is_filled(folder / name) for name in FILES):  # one alone fits no other
        for name, text in make_certificates().items():
            write_private(text, folder / name, stack.owner)
        made += FILES
    path = folder / DATABASE_SETTINGS
    text = f"ADAPTML_DATABASE_URL={stack.database_url or f'crate://adaptml:{password}@crate-db:4200'}\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_private(text, path, stack.owner)
        made.append(DATABASE_SETTINGS)
    return made


def _private_folder(stack: Stack) -> Path:
    """The folder of the secrets, which their owner alone can enter and Git passes over."""
    folder = stack.secrets
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise StackError(
            f"{folder} cannot be written: {error.strerror}; "
            "expected to be the user who started the stack first, or root"
        ) from error
    give(folder, stack.owner)
    (folder / ".gitignore").write_text(KEEP_OUT_OF_GIT, encoding="utf-8")
    return folder


def write_private(text: str, path: Path, owner: tuple[int, int]) -> None:
    """Write a file that its owner alone can read, from its first byte on; whole or not at all."""
    with replacing(path, mode=PRIVATE) as temporary:
        temporary.write_text(text, encoding="utf-8")
        give(temporary, owner)


def _is_filled(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
