"""A task's labelling functions: their parameters, and loading them from `tasks/<task>/lfs.py`.

Example of a task's `lfs.py`:

    from snorkel.labeling import LabelingFunction, labeling_function

    from dataprogramming.lfs import LFParams, keyword_lf

    class Params(LFParams):
        max_words: int = 5                       # becomes the command-line parameter --max-words

    def get_lfs(params: Params) -> list[LabelingFunction]:
        labels = params.labels

        @labeling_function()
        def short(x):
            return labels.ham if len(x.tokens) <= params.max_words else labels.ABSTAIN

        return [keyword_lf("subscribe", ["subscribe"], labels.spam, "tokens"), short]
"""

import importlib.util
import inspect
import linecache
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from snorkel.labeling import LabelingFunction

from adaptml.errors import LabellingError, listed
from adaptml.frames import KEYS
from adaptml.tasks import Labels, Task
from adaptml.tasks.class_sets import not_
from adaptml.user_code import in_folder, place, relative_paths_start, said, user_code
from dataprogramming.declared_sets import declared_sets
from dataprogramming.keyword_lfs import KeywordLF, keyword_lf
from dataprogramming.like_lfs import like_lf
from dataprogramming.lookup import lookup
from dataprogramming.reserved import reserved_names
from dataprogramming.rule_lfs import number_lf, regex_lf

__all__ = [
    "KeywordLF",
    "LFParams",
    "declared_parameters",
    "keyword_lf",
    "like_lf",
    "load_lfs",
    "lookup",
    "not_",
    "number_lf",
    "regex_lf",
]

GetLFs = Callable[[Any], Sequence[LabelingFunction]]
MODULE_PREFIX = "adaptml_task_"


class LFParams(BaseModel):
    """What `get_lfs` is called with. A task that needs more subclasses it and declares fields.

    Attributes:
        labels: the task's classes, ABSTAIN = -1 and one member per class in the order of the task file.

    Example:
        >>> class Params(adaptml.LFParams):
        ...     max_words: int = 5
        >>> params = Params(labels=project.task("spam").labels)
        >>> params.labels.spam, params.max_words
        (<spam: 1>, 5)
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    labels: Labels


def load_lfs(
    task: Task, parameters: Mapping[str, Any] | None = None, *, text: str | None = None
) -> list[LabelingFunction]:
    """The labelling functions of a task: those of its `lfs.py`, or those that it was made with.

    Args:
        task: the task; its `lfs.py` is run, in the task's folder.
        parameters: of those that the task's `get_lfs` declares, as values or text; the others are as the task
            file keeps them.
        text: what is run in place of what stands in `lfs.py`, as if it stood there; None for the file.

    Raises:
        LabellingError: no `lfs.py`, one that cannot be run, no `get_lfs` in it, a parameter that is not
            declared, that `label` needs for itself or that has a wrong value, no LF, something that is no
            LF, two LFs of one name, or a set of classes to vote for that cannot be used.
    """
    parameters = {name.replace("-", "_"): value for name, value in (parameters or {}).items()}
    if task.folder is None:
        if parameters or task.label.lf_parameters:
            raise LabellingError(
                f"the task {task.name!r} was made with its labelling functions, which have no parameter "
                f"{listed(sorted({**task.label.lf_parameters, **parameters}))}; take it out"
            )
        return _for_task(task, _checked(list(task.lfs), f"task {task.name!r}"))
    path = task.folder / "lfs.py"
    with in_folder(task.folder, fresh=True):
        get_lfs = _get_lfs(task, path, text)
        params = _parse(task, _params_type(get_lfs, path), parameters)
        with _lfs_code(path, f"the classes are {', '.join(task.class_names)}"):
            lfs = get_lfs(params)
    return _for_task(task, _checked(lfs, str(path)))


def _for_task(task: Task, lfs: list[LabelingFunction]) -> list[LabelingFunction]:
    """The labelling functions, whose keywords take the task's language, and whose sets are of its classes."""
    for lf in lfs:
        if isinstance(lf, KeywordLF):
            lf.in_language(task.language)
    check_sets(task, lfs)
    return lfs


def check_sets(task: Task, lfs: Sequence[LabelingFunction]) -> None:
    """Whether the sets of classes that labelling functions may vote for can be used in a task.

    Raises:
        LabellingError: as `declared_sets`; or points may have several classes, and then none is ruled out by
            another.
    """
    declared = declared_sets(lfs, task.labels)
    if declared.codes.sets and not task.problem.exclusive:
        name = next(lf.name for lf, own in zip(lfs, declared.own, strict=True) if own)
        raise LabellingError(
            f"the labelling function {name!r} votes for a set of classes, and a point of the task "
            f"{task.name!r} may have several or none of them, so that such a vote settles nothing; "
            "let it vote for one class, or abstain"
        )


def declared_parameters(task: Task) -> dict[str, str]:
    """Name → type and default, of the parameters that the task's `get_lfs` declares beside `labels`."""
    if task.folder is None:
        return {}
    path = task.folder / "lfs.py"
    with in_folder(task.folder, fresh=True):
        return _declared(_params_type(_get_lfs(task, path), path))


def parameters_to_keep(task: Task, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Of parameters of the task's `get_lfs`, those that differ from what it declares, as plain values.

    Args:
        task: a task with a folder.
        parameters: name → value or text.

    Raises:
        LabellingError: as `load_lfs`.
    """
    if task.folder is None or not parameters:
        return {}
    path = task.folder / "lfs.py"
    with in_folder(task.folder, fresh=True):
        params_type = _params_type(_get_lfs(task, path), path)
        parsed = _parse(task, params_type, parameters)
    plain = parsed.model_dump(mode="json", exclude={"labels"}, exclude_unset=True)
    fields = params_type.model_fields
    return {
        name: value
        for name, value in plain.items()
        if fields[name].is_required()
        or getattr(parsed, name) != fields[name].get_default(call_default_factory=True)
    }


def _get_lfs(task: Task, path: Path, text: str | None = None) -> GetLFs:
    if text is None and not path.is_file():
        raise LabellingError(
            f"the task {task.name!r} has no labelling functions: expected the file {path}; "
            "write it with a function get_lfs(params)"
        )
    get_lfs = getattr(_run_module(task.name, path, text), "get_lfs", None)
    if not callable(get_lfs) or not inspect.signature(get_lfs).parameters:
        raise LabellingError(
            f"{path} has no function get_lfs(params); define one that returns a list of labelling functions"
        )
    return get_lfs  # type: ignore[no-any-return]


def _run_module(task_name: str, path: Path, text: str | None) -> ModuleType:
    name = f"{MODULE_PREFIX}{task_name}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LabellingError(f"{path} cannot be read as a Python module.")
    module = importlib.util.module_from_spec(spec)
    # Annotations written as text are looked up in the module's entry here.
    sys.modules[name] = module
    with _lfs_code(path, "fix it"):
        if text is None:
            spec.loader.exec_module(module)
        else:
            # Its lines are those that a traceback and `inspect` show.
            linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
            exec(compile(text, str(path), "exec"), module.__dict__)  # noqa: S102 - as the file's own
    return module


def _lfs_code(path: Path, hint: str) -> AbstractContextManager[None]:
    """Runs a task's file; what it raises is one line that names the file's line."""

    def message(error: BaseException) -> LabellingError:
        """The one line: where, what, and what to do."""
        where = place(error, path.parent) or path
        is_path = isinstance(error, FileNotFoundError)
        more = f"relative paths start {relative_paths_start()}; " if is_path else ""
        return LabellingError(f"{where}: {said(error)}; {more}{hint}")

    return user_code(message)


def _params_type(get_lfs: GetLFs, path: Path) -> type[LFParams]:
    first = next(iter(inspect.signature(get_lfs).parameters))
    with _lfs_code(path, f"see the annotation of {first!r} in get_lfs"):
        declared = get_type_hints(get_lfs).get(first, LFParams)
    if not (isinstance(declared, type) and issubclass(declared, LFParams)):
        raise LabellingError(
            f"{path}: get_lfs declares its argument {first!r} as {declared!r}; "
            "expected LFParams or a subclass of it"
        )
    taken = sorted(set(declared.model_fields) & reserved_names())
    if taken:
        raise LabellingError(
            f"{path}: {declared.__name__} declares {listed(taken)}, which `adaptml label` uses itself, so "
            "that its value would never arrive; give it another name"
        )
    return declared


def _declared(params_type: type[LFParams]) -> dict[str, str]:
    fields = {name: field for name, field in params_type.model_fields.items() if name != "labels"}
    return {
        name: inspect.formatannotation(field.annotation)
        + ("" if field.is_required() else f" = {field.get_default(call_default_factory=True)!r}")
        for name, field in fields.items()
    }


def _parse(task: Task, params_type: type[LFParams], parameters: Mapping[str, Any]) -> LFParams:
    declared = _declared(params_type)
    known = ", ".join(f"{name} ({kind})" for name, kind in declared.items()) or "none"
    given = {**task.label.lf_parameters, **parameters}
    unknown = sorted(set(given) - set(declared))
    if unknown:
        kept = " (label.lf_parameters of its task file)" if set(unknown).isdisjoint(parameters) else ""
        raise LabellingError(
            f"the labelling functions of the task {task.name!r} have no parameter {listed(unknown)}{kept}; "
            f"they declare: {known}"
        )
    try:
        values = {
            name: _value(params_type.model_fields[name].annotation, text) for name, text in given.items()
        }
        return params_type(labels=task.labels, **values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or ", ".join(f"{k}={v}" for k, v in given.items())
        place += (
            "" if parameters.keys() >= given.keys() else " (label.lf_parameters of its task file count too)"
        )
        raise LabellingError(
            f"the labelling functions of the task {task.name!r} got a wrong parameter, {place}: "
            f"{first['msg']}; they declare: {known}"
        ) from error


def _value(kind: Any, text: Any) -> Any:
    """A parameter from its text: as such where its type allows it (numbers, dates, names), else as JSON.

    A task file keeps numbers, lists and the like as they are.
    """
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    if not isinstance(text, str):
        return adapter.validate_python(text)
    try:
        return adapter.validate_strings(text)
    except ValidationError:
        return adapter.validate_json(text)


def _checked(lfs: Sequence[LabelingFunction], source: str) -> list[LabelingFunction]:
    if not isinstance(lfs, list | tuple) or not lfs:
        raise LabellingError(
            f"{source}: get_lfs returned {lfs!r}; expected a list of at least one labelling function"
        )
    for number, lf in enumerate(lfs):
        if not isinstance(lf, LabelingFunction):
            raise LabellingError(
                f"{source}: item {number} that get_lfs returned is {lf!r}, which is no labelling function; "
                "decorate it with @labeling_function() or make it with keyword_lf"
            )
    counted = Counter(lf.name for lf in lfs)
    duplicated = sorted(name for name, count in counted.items() if count > 1)
    if duplicated:
        raise LabellingError(
            f"{source}: more than one labelling function is named {listed(duplicated)}; "
            "give each its own name"
        )
    taken = sorted(set(counted) & {*KEYS})
    if taken:
        raise LabellingError(
            f"{source}: a labelling function cannot be named {listed(taken)}, which names a column of its "
            "votes; give it another name"
        )
    return list(lfs)
