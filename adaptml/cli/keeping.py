"""`--keep` where the Docker stack does the step: a container does it, and the host writes its task file."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adaptml.cli.support import TYPED, output, project_here

if TYPE_CHECKING:
    from adaptml.tasks.defaults import Section

SERVICES: Mapping[str, str] = {"label": "dp-mlflow", "train": "modelling-mlflow"}
SAY_KEPT = "--say-kept"  # hidden: a container says in its last line, as JSON, what there is to keep
_NOT_FOR_THE_CONTAINER = ("--keep", "--stack", "--no-stack")


def on_host(ctx: Any, section: "Section", task: str, stack: bool | None) -> bool:
    """Have a step that is to be kept done in the stack, and write what it used into the host's task file.

    Args:
        ctx: of the command, as it was typed on the host.
        section: the step.
        task: name of the task.
        stack: the shared option `--stack/--no-stack`.

    Returns:
        Whether it was done: not where the project's own parts are to do it.

    Raises:
        SettingsError: this is a container, whose `tasks/` is read-only.
        StackError: the stack does not run, or the step failed.
    """
    from adaptml.cli.host import steps_elsewhere
    from adaptml.stack.host import refuse_in_container
    from adaptml.tasks.defaults import check_keeping, keep

    refuse_in_container(f"adaptml {section} {task} … --keep")
    with project_here() as project:
        found = steps_elsewhere(project, stack)
        if found is None:
            return False
        known = project.task(task)
        check_keeping(known)
        words = [word for word in ctx.meta[TYPED] if word not in _NOT_FOR_THE_CONTAINER]
        shown, kept = _answer(found(SERVICES[section], section, *words, SAY_KEPT, show=False), section)
        output().print(shown)
        output().print(f"{'kept':<16}{keep(known, section, kept['values'], kept['run'])}")
    return True


def say(run_id: str, values: Mapping[str, Any]) -> None:
    """What a container says in its last line."""
    output().print(json.dumps({"run": run_id, "values": values}))


def _answer(printed: str, section: "Section") -> tuple[str, dict[str, Any]]:
    """What a step printed for people, and what there is to keep."""
    from adaptml.stack.compose import StackError

    shown, _, last = printed.rstrip("\n").rpartition("\n")
    try:
        kept = json.loads(last)
        return shown, {"run": str(kept["run"]), "values": dict(kept["values"])}
    except (ValueError, TypeError, KeyError) as error:
        raise StackError(
            f"{SERVICES[section]} did not say what there is to keep but {last[:80]!r}; expected an image of "
            "this version: build it with `adaptml up --build`"
        ) from error
