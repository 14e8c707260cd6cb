"""Which commands may be a job, which container of the stack does each, and what a typed value can become."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adaptml.errors import AdaptmlError, listed

PORTAL, ANNOTATION, LABELLING, MODELLING = "portal", "annotation", "labelling", "modelling"
ROOMS = (PORTAL, ANNOTATION, LABELLING, MODELLING)
MAX_ARGV_BYTES = 100_000


class JobError(AdaptmlError):
    """A job that cannot be started."""


class NoJobError(JobError):
    """A job that is not there."""


@dataclass(frozen=True)
class Step:
    """A command that may be a job.

    Attributes:
        room: of the worker that does it in the stack.
        of_task: whether its first name is a task's.
        writes: whether it changes what other jobs of the task read.
        done: exit codes with which it has done its work.
    """

    room: str
    of_task: bool = True
    writes: bool = True
    done: frozenset[int] = frozenset({0})


STEPS: Mapping[str, Step] = {
    "import": Step(LABELLING, of_task=False),
    "forget": Step(LABELLING, of_task=False),
    "find": Step(PORTAL, of_task=False, writes=False),
    "task check": Step(LABELLING, writes=False),
    "task classes": Step(PORTAL),
    "featurize": Step(LABELLING),
    "features": Step(LABELLING, of_task=False),
    "sample-tasks": Step(ANNOTATION),
    "sample-points": Step(LABELLING),
    "annotate setup": Step(ANNOTATION),
    "annotate push": Step(ANNOTATION),
    "annotate pull": Step(ANNOTATION),
    "process-annotations": Step(ANNOTATION),
    "gold": Step(ANNOTATION),
    "annotator-agreement": Step(ANNOTATION, writes=False),
    "lfs": Step(LABELLING, writes=False),
    "label": Step(LABELLING),
    "train": Step(MODELLING),
    "compare": Step(MODELLING),
    "deploy": Step(MODELLING, of_task=False),
    "export": Step(MODELLING, of_task=False),
    "predict": Step(MODELLING),
    "watch": Step(MODELLING, done=frozenset({0, 3})),
    "run": Step(PORTAL),
    "runs": Step(LABELLING, writes=False),
}


def step_of(argv: Sequence[str]) -> Step:
    """The command of the words after `adaptml`.

    Raises:
        JobError: no command that may be a job, or words that no process can be given.
    """
    step = STEPS.get(command_of(argv))
    if step is None or "\0" in "".join(argv):
        given = " ".join(argv)[:80]
        raise JobError(f"`adaptml {given}` cannot be a job; expected one of {listed([*STEPS], len(STEPS))}")
    if sum(len(word.encode("utf-8", "backslashreplace")) for word in argv) > MAX_ARGV_BYTES:
        raise JobError(
            f"the words of `adaptml {argv[0]} …` are too long; expected {MAX_ARGV_BYTES:,} bytes at most"
        )
    return step


def command_of(argv: Sequence[str]) -> str:
    """The command that words begin with, such as `label` or `task check`."""
    two = " ".join(argv[:2])
    return two if two in STEPS else " ".join(argv[:1])


def task_of(argv: Sequence[str]) -> str:
    """The task that the words name; empty where they name none, or not where it is usual."""
    if not step_of(argv).of_task:
        return ""
    names = argv[argv.index("--") + 1 :] if "--" in argv else argv[len(command_of(argv).split()) :]
    return "" if not names or names[0].startswith("-") else names[0]


def room_of(argv: Sequence[str]) -> str:
    """The room whose worker does the words' step in the stack: with `--keep` it writes the task's file."""
    return PORTAL if "--keep" in argv else step_of(argv).room


def order(step: str, *names: str, **options: str | int | float | bool | Sequence[str] | None) -> list[str]:
    """The words after `adaptml`, so that no value that a person typed becomes an option.

    Args:
        step: the command, such as `label` or `task check`.
        *names: what stands without an option's name, such as the task.
        **options: name, with `_` for `-` → value; True is the bare option, None and False leave it out, a
            list gives it several times.

    >>> order("label", "spam", data="comments", write=True)
    ['label', '--data=comments', '--write', '--', 'spam']
    """
    words = step.split(" ")
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value is not None and value is not False:
            words += [
                f"{option}={one}" for one in ([value] if isinstance(value, str | int | float) else value)
            ]
    return [*words, "--", *names] if names else words
