"""Two people label the same table with the same task at the same time, each in a process of their own."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
from numbers_task import rows, write_task
from pandas.testing import assert_frame_equal

from adaptml.database import WritebackKind, read_back
from adaptml.project import Project
from adaptml.runs.artifacts import TRAINING_DATA, VOTES

N, DONE_S = 300, 400
# Whoever comes to the first row waits there until the other one is there too.
RULES = """
import os, time
from pathlib import Path
from dataprogramming.lfs import regex_lf
from snorkel.labeling import labeling_function

HOME = Path(__file__).resolve().parents[2] / "workspace"

def get_lfs(params):
    @labeling_function()
    def meets(x):
        if x.txt == "row 0":
            (HOME / f"there-{os.getpid()}").touch()
            for _ in range(20_000):  # the other one may have failed
                if len(list(HOME.glob("there-*"))) >= 2:
                    break
                time.sleep(0.01)
        return params.labels.even if int(x.txt.split()[1]) % 3 == 0 else None
    return [regex_lf("odd", "[13579]$", "odd", "txt"), regex_lf("even", "[02468]$", "even", "txt"), meets]
"""


def test_two_runs_of_label_on_one_table_and_task_both_end_well(project: Project, clean_room: Path) -> None:
    write_task(clean_room / "tasks" / "numbers", RULES)
    project.import_table(rows(N), "rows")
    order = [sys.executable, "-m", "adaptml.cli", "label", "numbers", "--data", "rows", "--write"]
    begun = [
        subprocess.Popen(order, cwd=clean_room, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        said = [process.communicate(timeout=DONE_S) for process in begun]
    finally:
        for process in begun:
            process.kill()
    assert [process.returncode for process in begun] == [0, 0], said
    assert len(list((clean_room / "workspace").glob("there-*"))) == 2
    written = read_back(project.results, project.task("numbers"), WritebackKind.LABELS)
    runs = written["run_id"].unique().tolist()
    assert len(runs) == 2
    assert all(any(run in printed for printed, _ in said) for run in runs)
    assert [project.runs.get(run).info.status for run in runs] == ["FINISHED"] * 2
    for artifact in (TRAINING_DATA, VOTES):
        one, other = (pd.read_parquet(project.runs.artifact(run, artifact, clean_room / run)) for run in runs)
        assert_frame_equal(one, other)
        assert len(one) == N
    one, other = (of_run.drop(columns=["run_id", "written_at"]) for _, of_run in written.groupby("run_id"))
    assert_frame_equal(one.reset_index(drop=True), other.reset_index(drop=True))
    assert len(one) == N
    again = project.label("numbers", "rows", dry_run=True)
    assert again.votes.reuse is not None
    assert (again.votes.reuse.kept, again.votes.reuse.computed) == (2 * N, N)  # `meets` looks at files
    assert_frame_equal(
        again.training_data, pd.read_parquet(project.runs.artifact(runs[0], TRAINING_DATA, clean_room))
    )
