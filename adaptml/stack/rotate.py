"""`adaptml secrets rotate`: new passwords, tokens and keys for the stack, in its servers and in its files."""

import io
import secrets
from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import Annotated

import typer

from adaptml.cli.support import new_app, output
from adaptml.errors import listed
from adaptml.scale.certificates import FILES
from adaptml.stack.compose import Stack, StackError, open_stack
from adaptml.stack.secrets import CERTIFICATES, PASSWORDS, make_secrets, write_private
from adaptml.stack.up import HEALTHY_TIMEOUT_S

NEXT = ".next"  # after a secret's name: the value that is to follow it, until all of its rotation is done
# A server that keeps its own copy is told from inside its container, which has the secret it started with.
# Telling it twice does no harm: a rotation that was cut off is done again with the same values.
_MARIADB = """
new=$(cat); old=$(cat /run/secrets/mlflow_db_password)
for password in "$old" "$new"; do
  MYSQL_PWD=$password mariadb --protocol=tcp --host=127.0.0.1 --user=mlflow \\
    <<<"SET PASSWORD = PASSWORD('$new')" && exit 0
done
exit 1
"""
_LABEL_STUDIO = """
import os, sys
from pathlib import Path
import label_studio
os.environ["SECRET_KEY"] = Path("/run/secrets/label_studio_key").read_text().strip()
os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings.label_studio"
sys.path.insert(0, str(Path(label_studio.__file__).parent))
import django
django.setup()
from rest_framework.authtoken.models import Token
from users.models import User
what, new = sys.stdin.read().split()
owner = User.objects.get(email=os.environ["LABEL_STUDIO_USERNAME"])
if what == "label_studio_password":
    owner.set_password(new)
    owner.save()
else:
    Token.objects.filter(user=owner).delete()
    Token.objects.create(user=owner, key=new)
"""
# Secret → the service that keeps a copy, and the words there that change it by what they read.
TOLD = {
    "dp_mlflow_db_password": ("dp-mlflow-db", ["bash", "-c", _MARIADB]),
    "modelling_mlflow_db_password": ("modelling-mlflow-db", ["bash", "-c", _MARIADB]),
    "label_studio_password": ("label-studio-web", ["python", "-c", _LABEL_STUDIO]),
    "label_studio_token": ("label-studio-web", ["python", "-c", _LABEL_STUDIO]),
}
FOLLOWS = {
    "api_key": "whoever asks the prediction service needs the new key",
    "database_password": "whoever asks CrateDB as adaptml needs the new password",
    "label_studio_key": "people log in to Label Studio again",
}


def rotate(stack: Stack, names: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """Give some of the stack's secrets new values, and start the services anew that use them.

    A rotation that was cut off, by a failure or a signal, goes on with the values that it began with.

    Args:
        stack: whose.
        names: of `PASSWORDS`, or `CERTIFICATES`; none: all of them.

    Returns:
        Names of the secrets, those of an earlier rotation that was cut off among them, and of the services.

    Raises:
        StackError: a name that is none, a secret that is not there yet, a service that has to be told and
            does not run (nothing is changed then), or one that refuses or does not become healthy.
    """
    wanted = _checked(stack, names)
    running = {str(found["Service"]) for found in stack.containers() if found["State"] == "running"}
    away = [f"{TOLD[name][0]} for {name}" for name in wanted if name in TOLD and TOLD[name][0] not in running]
    if away:
        raise StackError(
            f"not running: {listed(away)}; a server keeps these itself and has to be told: `adaptml up` "
            "first, or name other secrets"
        )
    folder = stack.secrets
    for name in wanted:
        if not (folder / f"{name}{NEXT}").is_file():
            write_private(secrets.token_hex(20), folder / f"{name}{NEXT}", stack.owner)
    for name in wanted:
        new = (folder / f"{name}{NEXT}").read_text(encoding="utf-8").strip()
        if name in TOLD:
            _tell(stack, name, new)
        write_private(new, folder / name, stack.owner)
    changed = list(wanted)
    if not names or CERTIFICATES in names:
        (folder / FILES[-1]).unlink(missing_ok=True)  # all three are made anew where one is away
        changed.append(CERTIFICATES)
    make_secrets(stack)  # the address that containers read holds one of them
    used = sorted(running & _users(stack, changed))
    if used:
        wait = ["--wait", "--wait-timeout", str(HEALTHY_TIMEOUT_S)]
        stack.compose("up", "--detach", "--force-recreate", "--no-build", *wait, *used)
    for name in wanted:
        (folder / f"{name}{NEXT}").unlink()
    return changed, used


def _checked(stack: Stack, names: Sequence[str]) -> list[str]:
    """The secrets to rotate, and those of a rotation that was cut off, in their order."""
    known = (*PASSWORDS, CERTIFICATES)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise StackError(f"no secret {listed(unknown)}; expected {listed(known, len(known))}")
    begun = {name for name in PASSWORDS if (stack.secrets / f"{name}{NEXT}").is_file()}
    wanted = [name for name in PASSWORDS if name in begun or name in (names or PASSWORDS)]
    absent = [name for name in wanted if not (stack.secrets / name).is_file()]
    if absent:
        raise StackError(f"no file {listed(absent)} in {stack.secrets}; `adaptml up` makes the secrets first")
    return wanted


def _tell(stack: Stack, name: str, new: str) -> None:
    """Have a server take a new value, which goes there by stdin: words of a command can be read by others."""
    service, words = TOLD[name]
    with TemporaryFile() as said:
        said.write(f"{name} {new}".encode() if service == "label-studio-web" else new.encode())
        said.seek(io.SEEK_SET)
        try:
            stack.compose("exec", "--no-TTY", service, *words, stdin=said)
        except StackError as error:
            raise StackError(
                f"{name} could not be changed in {service}: {error}; the rotation is not finished: see "
                f"`adaptml logs {service}`, then run `adaptml secrets rotate {name}` again"
            ) from error


def _users(stack: Stack, names: Sequence[str]) -> set[str]:
    """The services that read one of some secrets."""
    files = {*names, *(["database_settings"] if "database_password" in names else [])}
    files |= set(FILES) if CERTIFICATES in names else set()
    return {
        service
        for service, made in stack.config()["services"].items()
        if files & {str(secret["source"]) for secret in made.get("secrets", [])}
    }


app = new_app()


@app.callback()
def about() -> None:
    """The passwords, tokens and keys of the Docker stack, which `adaptml up` makes."""


@app.command(name="rotate")
def command(
    names: Annotated[
        list[str] | None, typer.Argument(help="Files of secrets/, such as api_key; default: all.")
    ] = None,
) -> None:
    """Make new passwords, tokens and keys, tell the servers, and start anew what uses them.

    Example: `adaptml secrets rotate api_key`
    """
    stack, console = open_stack(), output()
    changed, services = rotate(stack, names or ())
    console.print(f"new: {listed(changed, len(changed))}, in {stack.secrets}")
    console.print(f"started anew: {listed(services, len(services)) or 'nothing, as nothing runs'}")
    for name in changed:
        if name in FOLLOWS:
            console.print(FOLLOWS[name])
