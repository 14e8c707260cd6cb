"""Adding a rule to a task: its line in `lfs.py`, the files that it reads, and the column that it looks at."""

from adaptml.errors import LabellingError
from adaptml.files import write_text
from adaptml.project import Project
from adaptml.rules.into_file import with_rule
from adaptml.rules.source import RuleSource
from adaptml.tasks import Task
from adaptml.tasks.edit import put, read_file, write_file
from adaptml.tasks.rule_file import Save, digest_of, read_rules, rules_path, save_rules


def preview(task: Task, rule: RuleSource) -> str:
    """The text of `lfs.py` with the rule; nothing is written.

    Raises:
        LabellingError: there is no place for it, see `with_rule`, or a file of that name is there with other
            content.
        TaskError: the task has no file of rules, or one that cannot be read.
    """
    folder = rules_path(task).parent
    for name, text in rule.files.items():
        path = folder / name
        if path.exists() and (not path.is_file() or path.read_bytes() != text.encode()):
            raise LabellingError(
                f"there is a file {name} beside lfs.py already, and not this one; give it another name"
            )
    return with_rule(read_rules(task), rule)


def needs_feature(task: Task, rule: RuleSource) -> bool:
    """Whether the task's `lf_features` lack the column that the rule looks at."""
    return rule.rule.column not in task.lf_features


def add_rule(project: Project, task: Task, rule: RuleSource, *, who: str) -> Save:
    """Write a rule into the task's folder; `lfs.py` comes last, so that nothing it needs is missing.

    Args:
        project: keeps the versions of the file.
        task: a task with a folder.
        rule: what is added.
        who: the person who adds it.

    Returns:
        The new version of `lfs.py`.

    Raises:
        LabellingError, TaskError: as `preview`; nothing is written then.
        FileError: a file that cannot be written, or that changed in this moment.
    """
    folder, before = rules_path(task).parent, read_rules(task)
    text = preview(task, rule)
    for name, content in rule.files.items():
        write_text(content, folder / name)
    if needs_feature(task, rule):
        path = folder / "task.yaml"
        columns = [*task.lf_features, rule.rule.column]
        write_file(path, put(read_file(path), ["lf_features"], columns))
    return save_rules(project, task, text, base=digest_of(before), who=who)
