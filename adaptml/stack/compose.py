"""The Docker Compose stack of this project: what it is made of, and how Compose is asked to do things."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from dotenv import dotenv_values

from adaptml.errors import AdaptmlError, listed
from adaptml.project import Project
from adaptml.settings import ENV_FILES

COMPOSE_FILE = "docker-compose.yml"
COMPOSE_ENV_FILES = "COMPOSE_ENV_FILES"  # Compose's own variable for the files of settings
PROJECT_FILE, *OWN_FILES = ENV_FILES
PINNED_IMAGES = "docker/images.env"  # docker/pin-images.sh writes it
STACK_FILES = (PROJECT_FILE, PINNED_IMAGES, *OWN_FILES)
ALL_PROFILES = "dev"  # all that any machine can run
GPU_PROFILE = "gpu"
SCALE_PROFILE = "scale"
# These start only where they are named.
NAMED_PROFILES = (GPU_PROFILE, SCALE_PROFILE)
PROFILES = ("portal", "label", "data_programming", "modelling", "deploy", ALL_PROFILES, *NAMED_PROFILES)
# Puts crate-db out of every profile, for a stack whose data lie in a database elsewhere.
EXTERNAL_DATABASE_FILE = "docker/external-database.yml"
DEFAULT_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "crate": 4200}
DEFAULT_UID = 1000  # the user of our images
# What people put in and take out: folders of DATA_PATH, each named like the volume that it was before.
HOST_FOLDERS = ("unlabeled_data", "annotations", "predictions", "dp_mlruns", "modelling_mlruns")
# What lies in volumes, unless a setting of that name in capitals names a folder.
VOLUMES = (
    "crate_data", "label_studio_data", "votes", "media", "portal_data", "uploads", "workbench",
    "dp_mlflow_db", "modelling_mlflow_db",
)  # fmt: skip


class StackError(AdaptmlError):
    """The stack cannot be started, stopped, saved or restored as things are."""


class DockerError(StackError):
    """The Docker client refuses, or what it ran failed.

    Attributes:
        exit_code: the client's.
        said: the lines that it wrote to stderr, where they were not shown.
    """

    def __init__(self, message: str, exit_code: int, said: Sequence[str]) -> None:
        super().__init__(message)
        self.exit_code, self.said = exit_code, list(said)


class Stack:
    """The stack of one project folder.

    Attributes:
        root: the project's folder, which holds `docker-compose.yml` and the files of settings.
        env_files: names of the files of settings that are there, relative to `root`; a later one wins.
        values: every variable that is set to something, in the environment or else in those files: what
            Compose fills into its file.
    """

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        """Read `.env`, what pins its images, and `.env.dev`; nothing is started.

        Args:
            root: the project's folder.
            environment: the caller's. Its `COMPOSE_ENV_FILES` names other files of settings, as for Compose.

        Raises:
            StackError: the folder has no Compose file, or no file that `COMPOSE_ENV_FILES` names.
        """
        if not (root / COMPOSE_FILE).is_file():
            raise StackError(
                f"no {COMPOSE_FILE} in {root}; "
                "expected a clone of ADaPT-ML, on the host and not in a container: run this there, or set "
                "ADAPTML_ROOT"
            )
        self.root = root
        self.env_files = env_files(root, environment.get(COMPOSE_ENV_FILES, ""))
        self._environment = dict(environment)
        self._from_files = variables_of(root / name for name in self.env_files)
        self.values: dict[str, str] = self._from_files | _set_to_something(environment)

    def get(self, name: str, default: str) -> str:
        """A variable; one that is set to nothing counts as not set, as in the Compose file."""
        return self.values.get(name) or default

    @property
    def database_url(self) -> str:
        """SQLAlchemy address of a database elsewhere, as containers reach it; empty for the stack's own."""
        return self.get("STACK_DATABASE_URL", "")

    @property
    def name(self) -> str:
        """Compose's name of the project, with which the names of its volumes begin."""
        return self.get("COMPOSE_PROJECT_NAME", self.get("STACK_NAME", "adaptml"))

    @property
    def secrets(self) -> Path:
        """Folder of the secrets."""
        return self._path(self.get("SECRETS", "secrets"))

    @property
    def tasks(self) -> Path:
        """The folder of the tasks, which the page's container writes to."""
        return self._path(self.get("TASKS", "tasks"))

    @property
    def data_path(self) -> Path:
        """The folder of this machine that holds what people put in and take out."""
        return self._path(self.get("DATA_PATH", "data"))

    def _path(self, value: str) -> Path:
        return (self.root / Path(value).expanduser()).resolve()

    @cached_property
    def volumes_of_before(self) -> list[str]:
        """Those of `HOST_FOLDERS` that are still in volumes, from a version that kept them there."""
        try:
            there = set(docker("volume", "ls", "--quiet").split())
        except StackError:  # nothing can be started then
            return []
        return [
            name for name in HOST_FOLDERS if not self.get(name.upper(), "") and f"{self.name}_{name}" in there
        ]

    @property
    def stores(self) -> dict[str, str]:
        """Where all lies that the stack keeps: name → folder of this machine, or volume of Compose's file."""
        found = {}
        for name in (*HOST_FOLDERS, *VOLUMES):
            value = self.get(name.upper(), "")
            if value.startswith((".", "/", "~")):  # as Compose tells folders from volumes
                found[name] = str(self._path(value))
            elif value or name in VOLUMES or name in self.volumes_of_before:
                found[name] = value or name
            else:
                found[name] = str(self.data_path / name)
        return found

    @property
    def folders(self) -> dict[str, Path]:
        """Those of `HOST_FOLDERS` that are folders, by name."""
        stores = self.stores
        return {name: Path(stores[name]) for name in HOST_FOLDERS if stores[name].startswith("/")}

    @property
    def owner(self) -> tuple[int, int]:
        """User and group that our containers run as: the caller's, and never root."""
        uid = os.getuid() if hasattr(os, "getuid") else 0
        gid = os.getgid() if hasattr(os, "getgid") else 0
        defaults = (uid, gid) if uid else (DEFAULT_UID, DEFAULT_UID)
        return int(self.get("APP_UID", str(defaults[0]))), int(self.get("APP_GID", str(defaults[1])))

    def environment(self) -> dict[str, str]:
        """The environment for Compose: the caller's, and what Compose cannot find out by itself.

        Compose takes a variable that is set to nothing for set. Left out, it does not hide what a file says.
        """
        kept = {
            name: value for name, value in self._environment.items() if value or name not in self._from_files
        }
        uid, gid = self.owner
        added = {"APP_UID": str(uid), "APP_GID": str(gid), "DATA_PATH": str(self.data_path)}
        added |= {name.upper(): name for name in self.volumes_of_before}
        if self.env_files:
            added[COMPOSE_ENV_FILES] = ",".join(self.env_files)
        files = self.get("COMPOSE_FILE", COMPOSE_FILE)
        if self.database_url:
            added["STACK_DATABASE"] = database_place(self.database_url)
            files = os.pathsep.join([files, EXTERNAL_DATABASE_FILE])
        return kept | added | {"COMPOSE_FILE": files}

    def compose(
        self,
        *words: str,
        profiles: Sequence[str] = (ALL_PROFILES, *NAMED_PROFILES),
        capture: bool = True,
        stdin: BinaryIO | None = None,
    ) -> str:
        """Run `docker compose …` in the project's folder.

        Args:
            words: the command and its options.
            profiles: the profiles that it is about.
            capture: return what it prints instead of showing it.
            stdin: what it reads.

        Raises:
            StackError: there is no Docker, or Compose refuses.
        """
        chosen = [word for profile in profiles for word in ("--profile", profile)]
        return docker(
            "compose", *chosen, *words, cwd=self.root, env=self.environment(), capture=capture, stdin=stdin
        )

    def containers(self) -> list[dict[str, Any]]:
        """What Compose says of each of the stack's containers, running or not."""
        printed = self.compose("ps", "--all", "--format", "json")
        return [json.loads(line) for line in printed.splitlines() if line.strip()]

    def config(self) -> dict[str, Any]:
        """The Compose file with everything filled in."""
        found: dict[str, Any] = json.loads(self.compose("config", "--format", "json"))
        return found


def env_files(root: Path, given: str = "") -> tuple[str, ...]:
    """Names of the files of settings; a later one wins.

    Args:
        root: the project's folder.
        given: other names than `STACK_FILES`, divided by commas, as in `COMPOSE_ENV_FILES`.

    Raises:
        StackError: a file that is given does not exist.
    """
    names = [name.strip() for name in given.split(",") if name.strip()]
    missing = [name for name in names if not (root / name).is_file()]
    if missing:
        raise StackError(
            f"no file {listed(missing)} in {root}, which {COMPOSE_ENV_FILES} names; "
            f"expected files of settings such as {','.join(ENV_FILES)}: make it, or unset {COMPOSE_ENV_FILES}"
        )
    return tuple(names or (name for name in STACK_FILES if (root / name).is_file()))


def variables_of(paths: Iterable[Path]) -> dict[str, str]:
    """The variables that files of settings set to something; a later file wins."""
    found: dict[str, str] = {}
    for path in paths:
        found |= _set_to_something(dotenv_values(path))
    return found


def _set_to_something(variables: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if value}


def open_stack() -> Stack:
    """The stack of the project that the settings name."""
    return Stack(Project().settings.root, os.environ)


def database_place(url: str) -> str:
    """`host:port` of a database's address.

    Raises:
        StackError: the address names no host.
    """
    import sqlalchemy as sa
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        raise StackError(
            "STACK_DATABASE_URL cannot be read as an address; expected such as crate://host:4200"
        ) from error
    if not parsed.host:
        raise StackError(
            f"STACK_DATABASE_URL {parsed.render_as_string()} names no host; "
            "expected a database that containers can reach, such as crate://host:4200"
        )
    return f"{parsed.host}:{parsed.port or DEFAULT_PORTS.get(parsed.get_backend_name(), 5432)}"


def docker(
    *words: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    capture: bool = True,
    stdin: BinaryIO | None = None,
) -> str:
    """Run the Docker client.

    Raises:
        StackError: there is none.
        DockerError: it refuses; its own last words are in the message.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            ["docker", *words],  # noqa: S607 - found on PATH, as on any machine
            cwd=cwd, env=env, capture_output=capture, text=True, check=False, stdin=stdin,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise StackError("no docker command; expected Docker with Compose V2: install it") from error
    if done.returncode:
        said = [line.strip() for line in (done.stderr or "").splitlines() if line.strip()]
        reason = listed(said[-2:]) if said else f"exit code {done.returncode}, see above"
        raise DockerError(f"docker {words[0]} refused: {reason}", done.returncode, said)
    return done.stdout or ""
