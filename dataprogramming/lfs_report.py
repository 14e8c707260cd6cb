"""The quick look at labelling functions: applied to a sample, judged on gold, nothing registered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd
from snorkel.labeling import LabelingFunction

from adaptml.data import GOLD_IF_ANY, Data, described, read_points
from adaptml.errors import FrameError, LabellingError, listed
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.tasks import Task
from dataprogramming.apply import gold_to_tune_on, sampled
from dataprogramming.keyword_counts import keyword_hits_of
from dataprogramming.keyword_lfs import KeywordLF
from dataprogramming.label_models.core import covered
from dataprogramming.lf_table import removed, with_change
from dataprogramming.vote_elsewhere import voter_of
from dataprogramming.voter import Voter
from dataprogramming.votes import Votes

SAMPLE = 2000
_KEY = ["data", "setting"]


@dataclass(frozen=True, eq=False, repr=False)
class Look:
    """What labelling functions do on a sample.

    Attributes:
        votes: on the sample, and, as its `gold`, on the gold points.
        n_points: how many points the sample was drawn from.
        keyword_hits: name of a keyword LF → keyword → in how many rows of the sample it is.
        previous: the table of the last look at the same data; None where there was none.
        keyword_lfs: the keyword LFs by name.
        first_failures: name of an LF that failed and abstained, where that was allowed → its first error.
        lfs: the m labelling functions.
    """

    votes: Votes
    n_points: int
    keyword_hits: Mapping[str, Mapping[str, int]]
    previous: pd.DataFrame | None = None
    keyword_lfs: Mapping[str, KeywordLF] = field(default_factory=dict)
    first_failures: Mapping[str, LabellingError] = field(default_factory=dict)
    lfs: Sequence[LabelingFunction] = ()

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row per labelling function, see `lf_table`; with `change` where there was a look before."""
        now = self.votes.summary()
        return now if self.previous is None else with_change(now, self.previous)

    @property
    def n_uncovered(self) -> int:
        """Points of the sample without a vote."""
        return int((~covered(self.votes.L)).sum())

    @property
    def n_disagreements(self) -> int:
        """Points of the sample with votes for different classes."""
        return int(self.votes.disagree().sum())

    @property
    def removed(self) -> list[str]:
        """Names of labelling functions that the last look had and this one does not."""
        return [] if self.previous is None else removed(self.table, self.previous)

    def _repr_html_(self) -> str:
        """What a notebook shows: the table of labelling functions."""
        return self.table.to_html(index=False, float_format="{:.3f}".format, na_rep="–")


def look(
    project: Project,
    task: str | Task,
    data: Data | None = None,
    *,
    n: int = SAMPLE,
    seed: int = 0,
    where: str | None = None,
    gold: Data | None = GOLD_IF_ANY,
    lf_parameters: Mapping[str, str] | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    fault_tolerant: bool = False,
    fresh: bool = False,
    remember: bool = True,
    text: str | None = None,
) -> Look:
    """Apply a task's labelling functions to a sample; nothing is logged or registered.

    Args:
        project: holds the data, and the last look at it.
        task: the task, or its name.
        data: a table, `table where …`, a frame or a path of one; None for the one table that has the task's
            LF features.
        n: how many points are drawn.
        seed: the same seed draws the same points.
        where: a person's own SQL condition on the rows of the table.
        gold: the points that votes are judged on, as in `apply_lfs`; by default the task's gold to tune on,
            where there is some.
        lf_parameters: values, as text, of the parameters that the task's `get_lfs` declares.
        workers: number of processes.
        scheduler: address of a scheduler whose workers do it, see `adaptml.scale`.
        fault_tolerant: an LF that raises abstains and is counted, instead of ending the look.
        fresh: compute every vote anew, also those that were kept.
        remember: keep the table, for the next look to compare with.
        text: stands in for what the task's `lfs.py` holds; None for the file.

    Raises:
        LabellingError: labelling functions that cannot be used, or one that fails; or no data were named and
            several tables would do.
        FrameError, TaskError, DatabaseError: data or gold that cannot be read.
    """
    task = project.task(task)
    voter = (
        voter_of(
            project, task, lf_parameters or {}, workers=workers, scheduler=scheduler,
            fault_tolerant=fault_tolerant, fresh=fresh,
        )
        if text is None
        else Voter(project, task, lf_parameters or {}, fault_tolerant, fresh, text=text)
    )  # fmt: skip
    voter.load()
    source = _only_table(project, task) if data is None else data
    points = read_points(project, source, where=where)
    sample = sampled(points, n, seed)
    votes = voter.all_votes(sample, gold_to_tune_on(project, gold, task))
    keyword_lfs = {lf.name: lf for lf in voter.lfs if isinstance(lf, KeywordLF)}
    hits = keyword_hits_of(project.points, voter.lfs, sample)
    path, key = looks_file(project, task), [_name(source, where), task.setting]
    found = Look(
        votes, len(points), hits, _read_look(path, key), keyword_lfs, voter.first_failures, voter.lfs
    )
    if remember:
        _keep_look(path, key, votes.summary())
    return found


def looks_file(project: Project, task: Task) -> Path:
    """Where the last look at each table is kept."""
    return project.settings.votes(task.name).with_name(f"{task.name}-looks.parquet")


def _only_table(project: Project, task: Task) -> str:
    """The table that has all of the task's LF features."""
    points = project.points
    needed = {"id", *task.lf_features}
    found = [name for name in points.database.tables() if needed <= set(points.columns(name))]
    if len(found) == 1 and task.lf_features:
        return found[0]
    raise LabellingError(
        f"which data? {len(found)} tables have {listed(sorted(needed))}: {listed(found, 20) or 'none'}; "
        "name one with --data"
    )


def _name(data: Data, where: str | None) -> str:
    return described(data) if where is None else f"{described(data)} where {where}"


def _read_look(path: Path, key: list[str]) -> pd.DataFrame | None:
    kept = _looks(path)
    if kept is None:
        return None
    mine = kept.loc[(kept[_KEY] == key).all(axis=1)].drop(columns=_KEY)
    return None if mine.empty else mine.dropna(axis=1, how="all").reset_index(drop=True)


def _keep_look(path: Path, key: list[str], table: pd.DataFrame) -> None:
    """Replace the look at some data, whole; looks at other data stay."""
    mine = table.assign(**dict(zip(_KEY, key, strict=True)))
    kept = _looks(path)
    if kept is not None:
        others = kept.loc[~(kept[_KEY] == key).all(axis=1)]
        mine = pd.concat([others, mine], ignore_index=True) if len(others) else mine
    write_frame(mine, path)


def _looks(path: Path) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise FrameError(
            f"{path} cannot be read ({error}); remove it: it only keeps the last look"
        ) from error
