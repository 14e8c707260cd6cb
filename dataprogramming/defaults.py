"""What `label` works with: what its call says, else what the task file keeps, else what is built in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from adaptml.errors import LabellingError, listed
from adaptml.tasks import Task
from adaptml.tasks.defaults import Chosen, came_from, choose, in_task_file, named
from dataprogramming.label_models.base import checked_config
from dataprogramming.label_models.config import SnorkelConfig
from dataprogramming.label_models.registry import config_fields, label_models, label_models_for
from dataprogramming.lfs import parameters_to_keep
from dataprogramming.selection import AUTO, Config


@dataclass(frozen=True)
class LabelSettings:
    """The values that `label` works with.

    Attributes:
        model: `label_model`.
        config: parameters of label models.
        lfs: parameters of the task's `get_lfs`, as far as they were given or kept.
    """

    model: Chosen
    config: Chosen
    lfs: Chosen

    @property
    def label_model(self) -> str:
        """`auto` or the name of a label model."""
        return str(self.model.used["label_model"])

    @property
    def seed(self) -> int:
        """Of all random choices."""
        return int(str(self.config.used["seed"]))

    @property
    def came_from(self) -> str:
        """Which values came from where."""
        return came_from(self.model, self.config, self.lfs)


def label_settings(
    task: Task, label_model: str | None, config: Config | None, lf_parameters: Mapping[str, Any] | None
) -> LabelSettings:
    """What a call's arguments, the task and what is built in come to together.

    Raises:
        TaskError: what the task file keeps cannot be used.
    """
    check_label_defaults(task)
    given = config.model_dump(exclude_unset=True) if isinstance(config, BaseModel) else dict(config or {})
    lfs = {name.replace("-", "_"): value for name, value in (lf_parameters or {}).items()}
    return LabelSettings(
        choose(
            named(label_model=label_model), named(label_model=task.label.label_model), {"label_model": AUTO}
        ),
        choose(given, task.label.config, SnorkelConfig().model_dump()),
        choose(lfs, task.label.lf_parameters, {}),
    )


def check_label_defaults(task: Task) -> None:
    """Look at what a task keeps for `label`, but for the parameters of `get_lfs`, which loading it checks.

    Raises:
        TaskError: a label model of no or of the other setting, or parameters that none has or can use.
    """
    kept, known = task.label, label_models_for(task.problem)
    if kept.label_model not in (None, AUTO, *known):
        others = [name for name in label_models() if name not in known]
        hint = "give --label-model auto" if kept.label_model in others else "change it"
        raise in_task_file(
            task,
            "label.label_model",
            LabellingError(
                f"{kept.label_model!r} is no label model for {task.setting} tasks; expected {AUTO}, "
                f"{', '.join(known)}: {hint}"
            ),
        )
    unknown = sorted(set(kept.config) - config_fields())
    if unknown:
        expected = ", ".join(sorted(config_fields()))
        said = f"no label model has a parameter {listed(unknown)}; expected some of {expected}"
        raise in_task_file(task, "label.config", LabellingError(said))
    try:
        typed(kept.config)
    except LabellingError as error:
        raise in_task_file(task, "label.config", error) from error


def typed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of label models as values, whether they were given as values or text.

    Raises:
        LabellingError: values that cannot be used.
    """
    found: dict[str, Any] = {}
    for kind in label_models().values():
        mine = {name: value for name, value in config.items() if name in kind.Config.model_fields}
        if mine:
            found |= checked_config(kind.Config, mine).model_dump(include=set(mine))
    return {name: found[name] for name in config if name in found}


def to_keep(task: Task, settings: LabelSettings) -> dict[str, Any]:
    """The section `label` of the task file: what was used and is not built in.

    Raises:
        LabellingError: the task's `get_lfs` cannot be loaded any more.
    """
    built_in = {
        name: field.get_default()
        for kind in label_models().values()
        for name, field in kind.Config.model_fields.items()
    }
    config = {n: value for n, value in typed(settings.config.used).items() if value != built_in[n]}
    lfs = parameters_to_keep(task, settings.lfs.used)
    model = {} if settings.label_model == AUTO else {"label_model": settings.label_model}
    return {**model, **({"config": config} if config else {}), **({"lf_parameters": lfs} if lfs else {})}
