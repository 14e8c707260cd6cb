"""Everything that can go wrong and that a user can fix.

Each message is one line: what was given, what was expected, what to do.

    AdaptmlError
    ├─ SettingsError            a setting has a value that cannot be used
    ├─ TaskError                a task folder or task file that cannot be used
    ├─ FileError                a file that cannot be written or removed
    ├─ FrameError               data points, in a file or a frame, that cannot be used
    │   └─ NothingNewError      every data point has its result already
    ├─ MissingDataPointsError   ids that are not in the table
    ├─ DatabaseError            the database refuses what was asked
    │   ├─ UnknownTableError
    │   ├─ UnknownColumnError
    │   └─ DatabaseUnavailableError   away or locked: try again later
    ├─ FeatureError             columns that cannot be used as features
    ├─ AnnotationError          an export, a sample or a gold choice that cannot be used
    │   └─ LabelStudioError     Label Studio refuses what was asked
    │       └─ LabelStudioUnavailableError  away or starting: try again later
    ├─ LabellingError           labelling functions or label models that cannot be used
    ├─ ModelError               end models that cannot be trained, found or loaded
    ├─ TrackingError            an MLflow run, model or store that cannot be used
    ├─ ScaleError               a scheduler or workers that cannot be used
    └─ PipelineError            a run of everything stopped at a step
"""

from collections.abc import Sequence
from typing import Any

from adaptml.masking import masked

MAX_LISTED = 5


class AdaptmlError(Exception):
    """Base of all errors that a user can fix.

    Example:
        >>> try:
        ...     project.task("nothing")
        ... except adaptml.AdaptmlError as error:
        ...     print(type(error).__name__, "|", error)
        TaskError | no task 'nothing' in .../tasks; tasks there: spam; ...
    """

    def __init__(self, *said: object) -> None:
        super().__init__(*(masked(part) if isinstance(part, str) else part for part in said))

    def __reduce__(self) -> tuple[Any, ...]:
        """How it reaches another process, whatever its class is made from."""
        return _from_elsewhere, (type(self), self.args, self.__dict__)


def _from_elsewhere(kind: type[AdaptmlError], said: tuple[Any, ...], more: dict[str, Any]) -> AdaptmlError:
    """An error as another process raised it."""
    error = kind.__new__(kind)
    error.args = said
    error.__dict__.update(more)
    return error


class SettingsError(AdaptmlError):
    """A setting has a value that cannot be used.

    Example:
        >>> adaptml.Project("nowhere")
        Traceback (most recent call last):
            ...
        adaptml.errors.SettingsError: no folder nowhere; expected ...
    """


class TaskError(AdaptmlError):
    """A task folder or task file that cannot be used.

    Example:
        >>> project.task("nothing")
        Traceback (most recent call last):
            ...
        adaptml.errors.TaskError: no task 'nothing' in ...
    """


class FileError(AdaptmlError):
    """A file that cannot be written or removed.

    Example:
        >>> adaptml.example_project(project.settings.root)
        Traceback (most recent call last):
            ...
        adaptml.errors.FileError: no example can be made in ...
    """


class FrameError(AdaptmlError):
    """Data points, in a file or a frame, that cannot be used.

    Example:
        >>> project.predict("spam", pd.DataFrame({"id": ["h1"]}))
        Traceback (most recent call last):
            ...
        adaptml.errors.FrameError: the frame has no column table_name; ...
    """


class NothingNewError(FrameError):
    """Only new data points were asked for, and every one has its result already; a command then ends well.

    Example:
        >>> labelled = project.label("spam", "comments where text like '%subscribe%'", write=True)
        >>> project.label("spam", "comments where text like '%subscribe%'", new=True)
        Traceback (most recent call last):
            ...
        adaptml.errors.NothingNewError: nothing is new: ...
    """


class DatabaseError(AdaptmlError):
    """The database refuses what was asked.

    Example:
        >>> project.database.keys("comments", "id = 'h1'; DROP TABLE comments")
        Traceback (most recent call last):
            ...
        adaptml.errors.DatabaseError: where ... holds a semicolon; ...
    """


class UnknownTableError(DatabaseError):
    """No table or view of that name.

    Example:
        >>> project.label("spam", "posts", label_model="majority_vote")
        Traceback (most recent call last):
            ...
        adaptml.errors.UnknownTableError: no table 'posts' in ...
    """


class UnknownColumnError(DatabaseError):
    """No column of that name in the table.

    Example:
        >>> project.database.read(project.database.keys("comments"), ["likes"])
        Traceback (most recent call last):
            ...
        adaptml.errors.UnknownColumnError: table 'comments' has no column likes; ...
    """


class DatabaseUnavailableError(DatabaseError):
    """The database is away or locked; the same call may succeed later.

    Example:
        >>> adaptml.Project(project.settings.root, database_url="sqlite:////dev/null/data.db").database
        Traceback (most recent call last):
            ...
        adaptml.errors.DatabaseUnavailableError: the database ... cannot be made: ...
    """


class FeatureError(AdaptmlError):
    """Columns that cannot be used as features.

    Attributes:
        n_empty: data points that have none, where that is what is wrong; else 0.

    Example:
        >>> project.featurize("spam", "comments", encoder="word2vec")
        Traceback (most recent call last):
            ...
        adaptml.errors.FeatureError: no encoder 'word2vec'; ...
    """

    def __init__(self, message: str, n_empty: int = 0) -> None:
        super().__init__(message)
        self.n_empty = n_empty


class AnnotationError(AdaptmlError):
    """An export, a sample or a gold choice that cannot be used.

    Example:
        >>> project.process_annotations("spam", "nothing.json")
        Traceback (most recent call last):
            ...
        adaptml.errors.AnnotationError: nothing.json cannot be read: ...
    """


class LabelStudioError(AnnotationError):
    """Label Studio refuses what was asked.

    Attributes:
        status: the HTTP status of its answer; None where it did not answer.

    Example:
        >>> from labelstudio.client import LabelStudio
        >>> LabelStudio("http://127.0.0.1:8080", token="")
        Traceback (most recent call last):
            ...
        adaptml.errors.LabelStudioError: no token for Label Studio at http://127.0.0.1:8080; ...
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class LabelStudioUnavailableError(LabelStudioError):
    """Label Studio does not answer; the same call may succeed later.

    Example:
        >>> from labelstudio.client import LabelStudio
        >>> LabelStudio("http://127.0.0.1:9", token="1f", patience_s=0).users()
        Traceback (most recent call last):
            ...
        adaptml.errors.LabelStudioUnavailableError: ...
    """


class LabellingError(AdaptmlError):
    """Labelling functions or label models that cannot be used.

    Example:
        >>> adaptml.keyword_lf("greeting", [], "ham", "tokens")
        Traceback (most recent call last):
            ...
        adaptml.errors.LabellingError: the labelling function 'greeting' has no keyword; ...
    """


class ModelError(AdaptmlError):
    """End models that cannot be trained, found or loaded.

    Example:
        >>> project.deploy("multiclass_nothing")
        Traceback (most recent call last):
            ...
        adaptml.errors.ModelError: no end model 'multiclass_nothing' in the registry; ...
    """


class TrackingError(AdaptmlError):
    """An MLflow run, model or store that cannot be used.

    Example:
        >>> project.runs.get("0" * 32)
        Traceback (most recent call last):
            ...
        adaptml.errors.TrackingError: run 00000000000000000000000000000000 cannot be read from ...
    """


class ScaleError(AdaptmlError):
    """A scheduler, or workers, that cannot be used.

    Example:
        >>> project.featurize("spam", "comments", scheduler="tcp://192.0.2.1:8786")
        Traceback (most recent call last):
            ...
        adaptml.errors.ScaleError: tcp://192.0.2.1:8786 is neither encrypted nor on this machine, ...
    """


class PipelineError(AdaptmlError):
    """A run of everything stopped at a step; the steps before it are complete and are not done again.

    Attributes:
        step: the name of the step.

    Example:
        >>> project.run("spam", "posts")
        Traceback (most recent call last):
            ...
        adaptml.errors.PipelineError: stopped at check: ...
    """

    def __init__(self, step: str, message: str) -> None:
        self.step = step
        super().__init__(f"stopped at {step}: {message}")


class MissingDataPointsError(AdaptmlError):
    """Data points that their tables do not hold.

    Attributes:
        missing: the absent (table_name, id) pairs in the order in which they were asked.

    Example:
        >>> points = pd.DataFrame({"table_name": ["comments"], "id": ["h99"]})
        >>> project.database.read(points, ["text"])
        Traceback (most recent call last):
            ...
        adaptml.errors.MissingDataPointsError: 1 of 1 data points are not in their table: comments/h99; ...
    """

    def __init__(self, missing: Sequence[tuple[str, str]], asked: int) -> None:
        self.missing = list(missing)
        super().__init__(
            f"{len(missing)} of {asked} data points are not in their table: "
            f"{listed([f'{table}/{key}' for table, key in missing])}; "
            "load them into the table or take them out of the frame"
        )


class Terminated(SystemExit):
    """Somebody asked the process to end (SIGTERM, SIGHUP); never taken for what a person's code raised."""


def listed(names: Sequence[object], limit: int = MAX_LISTED) -> str:
    """Names as text for a message: the first `limit` of them and a count of the rest.

    >>> listed(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    shown = ", ".join(str(name) for name in names[:limit])
    rest = len(names) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown


def one_line(error: BaseException) -> str:
    """What an error says, on one line that every terminal can show and without secrets; else its type."""
    said = masked(str(error)).encode("utf-8", "backslashreplace").decode("utf-8")  # halves of characters
    return " ".join(said.split()) or type(error).__name__
