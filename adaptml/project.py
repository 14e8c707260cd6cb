"""A project: settings, data tables, runs and tasks of one folder. Every step gets one first."""

from functools import cached_property
from importlib import import_module
from pathlib import Path
from threading import RLock
from types import MethodType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from adaptml.errors import FileError, SettingsError
from adaptml.settings import Settings, load_settings, project_root

if TYPE_CHECKING:
    import adaptml
    from adaptml.database import Database
    from adaptml.features.points import Points
    from adaptml.runs.tracking import RunStore
    from adaptml.tasks import Task


class Step:
    """A step as a method: `project.label(task, data)` is `adaptml.label(project, task, data)`.

    The step's room is imported when the method is first asked for.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, project: "Project | None", owner: type) -> Any:
        """The step's function, with the project as its first argument."""
        function = getattr(import_module("adaptml"), self._name)
        return function if project is None else MethodType(function, project)


def _root_from_here() -> Path:
    try:
        return project_root(Path.cwd())
    except FileNotFoundError as error:
        raise SettingsError(
            "the working folder was removed; change into the project's folder, which has tasks/"
        ) from error


class Project:
    """What the steps of one project share; two projects in one process do not touch each other.

    Every step is a method too: `project.label(task, data)` is `adaptml.label(project, task, data)`. The
    database and the run store are opened when they are first asked for, and closed with the project.

    Attributes:
        settings: where things are.

    Example:
        >>> folder = project.settings.root  # yours
        >>> with adaptml.Project(folder) as mine:
        ...     mine.task("spam").class_names
        ['ham', 'spam']
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        database_url: str | None = None,
        tracking_uri: str | None = None,
        settings: Settings | None = None,
        patience_s: float | None = None,
    ) -> None:
        """Name the project; nothing is opened or made yet.

        Args:
            folder: the project's folder, with `tasks/` and `workspace/`; default: the nearest folder at or
                above the working folder that has `tasks/`. Settings are read from the environment, then from
                the folder's `.env.dev` and `.env`.
            database_url: SQLAlchemy address of the data tables, in place of the settings'.
            tracking_uri: address of MLflow's server or store, in place of the settings'.
            settings: all settings, in place of those that the folder and the environment give.
            patience_s: how long another's lock on a table is waited for, in seconds; default: 30.

        Raises:
            SettingsError: a setting has a value that cannot be used, or the folder does not exist.

        """
        if settings is None:
            if folder is not None and not Path(folder).is_dir():
                raise SettingsError(
                    f"no folder {folder}; expected a project's folder: make it, or name another"
                )
            root = _root_from_here() if folder is None else Path(folder)
            settings = load_settings(root, exactly=folder is not None)
        given = {"database_url": database_url, "tracking_uri": tracking_uri}
        self.settings = settings.replaced(**{name: value for name, value in given.items() if value})
        self._waits: dict[str, Any] = {} if patience_s is None else {"patience_s": patience_s}
        self._lock = RLock()

    def __repr__(self) -> str:
        return f"Project({str(self.settings.root)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened; the project opens it again where it is used again."""
        with self._lock:
            for opened in [self.__dict__.pop(name, None) for name in ("_database", "_results", "_runs")]:
                if opened is not None:
                    opened.close()

    @property
    def database(self) -> "Database":
        """The data tables.

        Raises:
            SettingsError: the address cannot be read, or its driver is not installed.
        """
        with self._lock:
            return self._database

    @cached_property
    def _database(self) -> "Database":
        from adaptml.database import Database

        return Database(self.settings.database_url.get_secret_value(), **self._waits)

    @property
    def results(self) -> "Database":
        """The tables that steps make; `database` itself, unless a setting puts them elsewhere.

        Raises:
            SettingsError: as `database`.
        """
        with self._lock:
            return self.database if self._results is None else self._results

    @cached_property
    def _results(self) -> "Database | None":
        from adaptml.database import Database

        address = self.settings.results_database_url.get_secret_value()
        return Database(address, setting="results_database_url", **self._waits) if address else None

    @property
    def points(self) -> "Points":
        """Data points: columns of the data tables, and the features that lie in `results`."""
        from adaptml.features.points import Points

        return Points(self.database, self.results)

    @property
    def runs(self) -> "RunStore":
        """MLflow's runs and registered models."""
        with self._lock:
            return self._runs

    @cached_property
    def _runs(self) -> "RunStore":
        from adaptml.runs.tracking import RunStore

        settings = self.settings
        return RunStore(settings.tracking_uri, settings.artifact_root, settings.run_id, settings.home)

    def task(self, task: "str | Task", setting: str | None = None) -> "Task":
        """A task of the project by its name, or a task as it is.

        Args:
            task: the name of a folder in `tasks/`, or a task made in Python.
            setting: `multiclass` or `multilabel` in place of what the task says.

        Raises:
            TaskError: no such task, a task file with problems, or a setting that does not exist.

        Example:
            >>> project.task("spam").problem.name
            'multiclass'
            >>> project.task(adaptml.Task(classes=["ham", "spam"]), "multilabel").problem.name
            'multilabel'
        """
        from adaptml.tasks import Task, load_task

        found = task if isinstance(task, Task) else load_task(task, self.settings.tasks_dir)
        return found.with_setting(setting)

    def task_names(self) -> list[str]:
        """Names of the project's tasks, sorted."""
        from adaptml.tasks import list_tasks

        return list_tasks(self.settings.tasks_dir)

    def path(self, given: str | Path) -> Path:
        """A path as its writer meant it: from the working folder, else from the project's folder.

        MLflow runs a project's commands inside the project's own folder.

        Raises:
            FileError: a path that no system can look up.
        """
        path, in_project = Path(given).expanduser(), self.settings.root / given
        try:
            return in_project if not path.exists() and in_project.exists() else path
        except OSError as error:  # too long
            shown = str(given)[:50]
            raise FileError(
                f"{shown}… cannot be looked up: {error.strerror}; name a file or a table"
            ) from error

    if TYPE_CHECKING:  # so that editors and type checkers know each step's arguments and result
        import_table = adaptml.import_table
        forget = adaptml.forget
        tables = adaptml.tables
        find = adaptml.find
        featurize = adaptml.featurize
        list_features = adaptml.list_features
        compare_features = adaptml.compare_features
        drop_feature = adaptml.drop_feature
        sample_tasks = adaptml.sample_tasks
        sample_points = adaptml.sample_points
        process_annotations = adaptml.process_annotations
        gold = adaptml.gold
        gold_template = adaptml.gold_template
        annotator_agreement = adaptml.annotator_agreement
        apply_lfs = adaptml.apply_lfs
        label = adaptml.label
        lf_history = adaptml.lf_history
        lf_diff = adaptml.lf_diff
        lf_hints = adaptml.lf_hints
        train = adaptml.train
        compare = adaptml.compare
        compare_with_champion = adaptml.compare_with_champion
        deploy = adaptml.deploy
        explain = adaptml.explain
        what_to_fix = adaptml.what_to_fix
        export_model = adaptml.export_model
        predict = adaptml.predict
        serve = adaptml.serve
        watch = adaptml.watch
        run = adaptml.run
        list_runs = adaptml.list_runs
        check_task = adaptml.check_task
        task_standing = adaptml.task_standing
        change_classes = adaptml.change_classes
    else:
        import_table = Step()
        forget = Step()
        tables = Step()
        find = Step()
        featurize = Step()
        list_features = Step()
        compare_features = Step()
        drop_feature = Step()
        sample_tasks = Step()
        sample_points = Step()
        process_annotations = Step()
        gold = Step()
        gold_template = Step()
        annotator_agreement = Step()
        apply_lfs = Step()
        label = Step()
        lf_history = Step()
        lf_diff = Step()
        lf_hints = Step()
        train = Step()
        compare = Step()
        compare_with_champion = Step()
        deploy = Step()
        explain = Step()
        what_to_fix = Step()
        export_model = Step()
        predict = Step()
        serve = Step()
        watch = Step()
        run = Step()
        list_runs = Step()
        check_task = Step()
        task_standing = Step()
        change_classes = Step()
