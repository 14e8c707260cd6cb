"""What is known of where a task stands; all of it can be written as JSON."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from adaptml.browsing.counts import Count


class _Known(BaseModel):
    model_config = ConfigDict(frozen=True)


class GoldStands(_Known):
    """A task's gold set.

    Attributes:
        points: gold points that are still in their tables.
        judging: how many of them are in the part that judges.
        again: points to be asked about again: they read otherwise than what was labelled, or their class was
            split or dropped since.
        gone: gold points that are no longer in their tables.
    """

    points: int = 0
    judging: int = 0
    again: int = 0
    gone: int = 0


class AgreementStands(_Known):
    """What `annotator_agreement` found last.

    Attributes:
        alpha: Krippendorff's alpha, at most 1; None where it is not defined.
        low, high: its interval of 95 %.
        points: points that two or more people annotated.
        verdict: `high enough` and the like.
    """

    alpha: float | None
    low: float | None
    high: float | None
    points: int
    verdict: str


class DataStands(_Known):
    """What the database and the project's files say.

    Attributes:
        table: the data table that the task is about; None where no table has its columns.
        points: rows of it.
        unmade: features that the task names and the table does not have yet.
        unguided: classes whose description nobody has written yet.
        gold: the gold set.
        agreement: None where nobody measured it.
        problem: why the database was not read; empty where it was.
    """

    table: str | None = None
    points: Count | None = None
    unmade: tuple[str, ...] = ()
    unguided: tuple[str, ...] = ()
    gold: GoldStands = GoldStands()
    agreement: AgreementStands | None = None
    problem: str = ""


class VotesStand(_Known):
    """Votes that are kept.

    Attributes:
        rules: labelling functions with kept votes on some row; those of before, which were edited, included.
        rows: rows of the table that were voted on.
    """

    rules: int
    rows: int


class LastRun(_Known):
    """The newest complete run of a step.

    Attributes:
        run_id, experiment_id: its numbers in MLflow.
        started: when, UTC.
        data: what it was given, such as a table's name.
        points: how many it labelled, or was trained on.
        coverage: share of them that a rule voted on, in [0, 1]; None for a training.
        measure: title of the metric that its models were compared by, such as `accuracy`.
        on_gold: its value on gold in [0, 1]; None without gold.
        gold_points: how many gold points that was.
    """

    run_id: str
    experiment_id: str
    started: datetime
    data: str
    points: int | None
    coverage: float | None
    measure: str
    on_gold: float | None
    gold_points: int | None


class LastWatch(_Known):
    """The newest complete watch.

    Attributes:
        run_id, experiment_id: its numbers in MLflow.
        started: when, UTC.
        new_rows: rows that had come.
        moved: how many comparisons moved.
    """

    run_id: str
    experiment_id: str
    started: datetime
    new_rows: int
    moved: int


class LabellingStands(_Known):
    """What labelling has: votes that are kept, and its runs.

    Attributes:
        votes: None where none are kept.
        label: the newest run of `label`.
        watch: the newest of `watch`.
        problem: why the runs were not read; empty where they were.
    """

    votes: VotesStand | None = None
    label: LastRun | None = None
    watch: LastWatch | None = None
    problem: str = ""


class ModellingStands(_Known):
    """What modelling has.

    Attributes:
        train: the newest run of `train`.
        model: name of the end model in the registry.
        newest: its newest version; None where there is none.
        champion: the version that is served; None where there is none.
        other_classes: whether the champion was made with other classes than the task has now.
        problem: why the registry was not read; empty where it was.
    """

    train: LastRun | None = None
    model: str = ""
    newest: str | None = None
    champion: str | None = None
    other_classes: bool = False
    problem: str = ""


class Standing(_Known):
    """Where a task stands.

    Attributes:
        task: its name.
        data, labelling, modelling: what each of them has.

    Example:
        >>> found = adaptml.task_standing(project, "spam")
        >>> found.data.table, found.data.gold.points
        ('comments', 12)
        >>> found.next_step.place in ("rules", "annotation", "runs", "models")
        True
    """

    task: str
    data: DataStands
    labelling: LabellingStands = LabellingStands()
    modelling: ModellingStands = ModellingStands()

    @property
    def next_step(self) -> "NextStep":
        """What to do next."""
        from adaptml.standing.next_step import next_step

        return next_step(self)


class NextStep(_Known):
    """What to do next.

    Attributes:
        text: one sentence.
        place: where on the page: `import`, `overview`, `rules`, `annotation`, `runs` or `models`.
        command: what does the same on the command line.
    """

    text: str
    place: str
    command: str
