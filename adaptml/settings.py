"""Where things are: one validated object from the environment, `.env.dev` and `.env`, built on demand."""

import os
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from adaptml.addresses import from_folder, is_database, sqlite_address, sqlite_file
from adaptml.errors import SettingsError
from adaptml.files import finish_replacing
from adaptml.masking import masked, remember, secrets_of

# In the project's folder; a later one wins. The first is tracked, with defaults; the second is one's own.
ENV_FILES = (".env", ".env.dev")
MLFLOWS = "MLFLOW_"  # so begin the names of what MLflow itself reads


def project_root(start: Path) -> Path:
    """The nearest folder at or above `start` that holds a `tasks` folder; `start` where there is none.

    MLflow runs a project's commands inside the project's own folder; looking upwards lets every
    step find the same tasks, data and runs from there.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / "tasks").is_dir():
            return folder
    return start


class Settings(BaseSettings):
    """All settings. Each is read from its variable: in the environment, then in `.env.dev`, then in `.env`.

    A variable that is set to nothing counts as not set.

    `adaptml settings` shows them, each with its variable.

    Example:
        >>> project.settings.host, project.settings.port
        ('127.0.0.1', 8000)
    """

    model_config = SettingsConfigDict(
        env_prefix="ADAPTML_", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore",
        frozen=True, hide_input_in_errors=True,
    )  # fmt: skip

    root: Path = Field(Path(), description="the project's folder; relative paths of the others start here")
    home: Path = Field(Path("workspace"), description="folder for everything that the steps write")
    tasks_dir: Path = Field(Path("tasks"), description="folder of the task folders")
    database_url: SecretStr = Field(
        SecretStr(""), description="SQLAlchemy address of the data tables; default: SQLite in the home folder"
    )
    results_database_url: SecretStr = Field(
        SecretStr(""),
        description="SQLAlchemy address where steps make tables of their own; default: beside the data",
    )
    tracking_uri: str = Field(
        "",
        validation_alias="MLFLOW_TRACKING_URI",
        description="MLflow tracking server or store; default: SQLite in the home folder",
    )
    run_id: str = Field(
        "",
        validation_alias="MLFLOW_RUN_ID",
        description="MLflow run to record into, as `mlflow run` sets it; default: each step makes its own",
    )
    host: str = Field("127.0.0.1", description="address that the prediction service listens on")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8000, description="port of the prediction service; 0 takes a free one"
    )

    root_path: str = Field(
        "", description="prefix under which a proxy passes requests on to the prediction service, as `/ml`"
    )
    hosts: str = Field(
        "",
        description="names, with commas between, that the prediction service is asked for by, beside "
        "`localhost` and all numbers; `*`: any",
    )
    cors_origins: str = Field(
        "",
        description="origins, with commas between, whose pages a browser lets ask the prediction service, as "
        "`https://example.org`; default: none",
    )
    proxies: str = Field(
        "",
        description="addresses, with commas between, of proxies whose word is taken for who asks "
        "(`X-Forwarded-For`, `X-Forwarded-Proto`); default: none",
    )
    log_format: Literal["text", "json"] = Field(
        "text",
        description="form of what the prediction service and the page log; `json`: an object a line, "
        "requests too",
    )
    max_connections: Annotated[int, Field(ge=1)] = Field(
        512,
        description="requests that the prediction service, or the page, takes at a time, though never more "
        "than half of the files that it may open; what is beyond is answered with 503",
    )
    request_seconds: Annotated[float, Field(gt=0)] = Field(
        60.0, description="seconds in which a request must come in, and one more for each 10 kB of its body"
    )
    keep_alive_seconds: Annotated[int, Field(ge=1)] = Field(
        75, description="seconds that a connection is kept for the next request: longer than a proxy does"
    )
    grace_seconds: Annotated[int, Field(ge=1)] = Field(
        20, description="seconds after SIGTERM in which requests under way are answered"
    )

    service_connections: Annotated[int, Field(ge=2, le=1000)] = Field(
        10,
        description="connections to each database that the prediction service opens at most; one is kept for "
        "`/health`, the others are predictions at a time",
    )
    service_workers: Annotated[int, Field(ge=1, le=100)] = Field(
        1,
        description="processes that the prediction service answers with, each with the models and with "
        "connections of its own",
    )
    service_writes: bool = Field(
        False,
        description="whether the prediction service may write predictions to the database, for requests with "
        "`?write=true` and the key",
    )
    api_key_file: Path = Field(
        Path("secrets/api_key"),
        validation_alias="API_KEY_FILE",
        description="file that holds the prediction service's key, 16 characters or more",
    )

    portal_url: str = Field(
        "",
        description="address that people open the page by, where it is not the one that it listens on, as "
        "behind a proxy or from a container",
    )
    portal_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8050, description="port of the page; 0 takes a free one"
    )
    services: str = Field(
        "",
        description="services that the page's first page links to: `NAME|LINK|HEALTH|ROOM`, with `;` "
        "between; HEALTH is asked whether a service answers, where ROOM is named by that room's worker; "
        "default: those of this machine",
    )
    upload_limit_mb: Annotated[int, Field(ge=1)] = Field(
        2_000, description="largest file in MB that the page takes for an import"
    )

    worker_url: str = Field(
        "",
        description="address of the page for which `adaptml worker` works, as in the stack's containers; "
        "default: this project's own page",
    )
    worker_tokens: Path = Field(
        Path("secrets"),
        description="folder of the files by which the stack's workers and its page know each other",
    )

    scale_certificates: Path = Field(
        Path("secrets"),
        description="folder of the certificates by which schedulers, workers and who asks them know each "
        "other",
    )

    label_studio_url: str = Field("http://127.0.0.1:8080", description="address of Label Studio")
    label_studio_token: SecretStr = Field(
        SecretStr(""), description="Label Studio's token, of either kind; default: what the token file holds"
    )
    label_studio_token_file: Path = Field(
        Path(".labelstudio/token"), description="file that holds Label Studio's token"
    )
    label_studio_media: Path = Field(
        Path(".labelstudio/files/media"), description="where Label Studio itself sees the folder `media`"
    )
    media: Path = Field(
        Path("media"),
        description="folder of pictures, sounds and films that annotators are shown; a relative path begins "
        "in the home folder",
    )

    rules_seconds: Annotated[float, Field(ge=1, le=600)] = Field(
        10.0, description="seconds that a task's rules may take for one answer to the page"
    )
    rules_memory_mb: Annotated[int, Field(ge=64)] = Field(
        2048, description="MiB of memory that a task's rules may take for it"
    )

    @model_validator(mode="after")
    def _absolute(self) -> "Settings":
        """Make every path absolute and fill in the addresses that follow from the home folder."""
        root = self.root.resolve()
        home = root / self.home.expanduser()
        database_url = self.database_url.get_secret_value() or sqlite_address(home / "data.db")
        results_url = self.results_database_url.get_secret_value()
        derived = {
            "root": root,
            "home": home,
            "tasks_dir": root / self.tasks_dir.expanduser(),
            "database_url": SecretStr(from_folder(database_url, root)),
            "results_database_url": SecretStr(from_folder(results_url, root)),
            "label_studio_media": root / self.label_studio_media,
            "media": home / self.media.expanduser(),
            "api_key_file": root / self.api_key_file.expanduser(),
            "worker_tokens": root / self.worker_tokens.expanduser(),
            "scale_certificates": root / self.scale_certificates.expanduser(),
            "label_studio_token_file": root / self.label_studio_token_file.expanduser(),
            "tracking_uri": from_folder(self.tracking_uri or sqlite_address(home / "mlflow.db"), root),
        }
        self.__dict__.update(derived)  # frozen for everybody else
        return self._remembered()

    def _remembered(self) -> "Settings":
        """Have what is secret in the values cut out of all that this process prints."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            if isinstance(value, SecretStr) and "://" not in text:
                remember(text)
            remember(*secrets_of(text))
        return self

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """The values for `repr` and `str`: an address without its password."""
        for name, value in super().__repr_args__():
            yield name, masked(value) if isinstance(value, str) else value

    @property
    def artifact_root(self) -> str | None:
        """Where a store without a server keeps artifacts, as an address; None where a server decides."""
        return (self.home / "mlruns").as_uri() if is_database(self.tracking_uri) else None

    @property
    def tracking_file(self) -> Path | None:
        """The SQLite file of MLflow's store; None where it lies elsewhere."""
        return sqlite_file(self.tracking_uri)

    @property
    def unlabeled_data(self) -> Path:
        """Folder of the id frames of data points to label."""
        return self.home / "unlabeled_data"

    def annotations(self, task: str) -> Path:
        """Folder of a task's sampled points, annotations and gold labels, as the last step left them.

        Raises:
            FileError: a step was killed while its files took their places, which cannot be finished.
        """
        folder = self.home / "annotations" / task
        finish_replacing(folder)
        return folder

    def votes(self, task: str) -> Path:
        """Folder of the votes that a task's labelling functions have cast."""
        return self.home / "votes" / task

    @property
    def uploads(self) -> Path:
        """Folder of files that people sent to the page, to be imported."""
        return self.home / "uploads"

    def workbench(self, task: str) -> Path:
        """Folder of what the page keeps of a task's rules: saves, samples, how they changed."""
        return self.home / "workbench" / task

    def gold(self, task: str) -> Path:
        """The task's gold frame: table_name, id, gold_label (list of class names)."""
        return self.annotations(task) / "gold_df.parquet"

    def replaced(self, **values: str) -> "Settings":
        """The same settings with other values of `database_url`, `tracking_uri`."""
        whole = {name: from_folder(value, self.root) for name, value in values.items()}
        secret = {
            name: SecretStr(value) if name == "database_url" else value for name, value in whole.items()
        }
        return self.model_copy(update=secret)._remembered()


def hand_on_mlflow(root: Path, environment: MutableMapping[str, str]) -> None:
    """Set what MLflow itself reads, such as MLFLOW_TRACKING_PASSWORD, as the project's files say.

    One that the environment has already stays; MLFLOW_TRACKING_URI and MLFLOW_RUN_ID are settings of ours.

    Args:
        root: the project's folder, with `.env` and `.env.dev`. A relative path in them begins there.
        environment: the process's.
    """
    ours = {field.validation_alias for field in Settings.model_fields.values()}
    with suppress(UnicodeDecodeError):  # reading the settings says so
        read = {
            name: value for file in ENV_FILES for name, value in dotenv_values(root / file).items() if value
        }
        for name in [name for name in read if name.startswith(MLFLOWS) and name not in ours]:
            if not environment.get(name):
                environment[name] = str(root / read[name]) if name.endswith("_PATH") else read[name]


def load_settings(start: Path, *, exactly: bool = False) -> Settings:
    """Read the settings as seen from a folder: from the environment, then from the project's files.

    Args:
        start: folder from which the project's folder is looked for, upwards.
        exactly: that folder is the project's, whatever the environment says.

    Raises:
        SettingsError: values that cannot be used, all of them in one line.
    """
    given = None if exactly else os.environ.get("ADAPTML_ROOT")
    root = Path(given) if given else start if exactly else project_root(start)
    try:
        return Settings(_env_file=[root / name for name in ENV_FILES], root=root)  # type: ignore[call-arg]
    except UnicodeDecodeError as error:
        files = " or ".join(str(root / name) for name in ENV_FILES)
        raise SettingsError(
            f"settings cannot be used: {files} is not UTF-8; save it as UTF-8 text"
        ) from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(
            f"settings cannot be used: {wrong}; fix them in the environment or in {root / ENV_FILES[-1]}"
        ) from error
