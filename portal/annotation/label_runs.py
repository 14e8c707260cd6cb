"""The runs that a sampling can look at; asked where labelling has its runs."""

from typing import Any

from adaptml.project import Project
from adaptml.runs.listing import list_runs

MOST = 50


def label_runs(project: Project, *, task: str) -> dict[str, Any]:
    """The finished runs of `label` of a task, the last first."""
    found = list_runs(project, task)
    found = found[(found["step"] == "label") & (found["status"] == "FINISHED")].head(MOST)
    rows = zip(found["run_id"], found["started"], found["model"], found["on_gold"], strict=True)
    return {
        "runs": [
            {
                "id": run,
                "started": when.isoformat(),
                "model": model,
                "on_gold": None if gold != gold else gold,
            }
            for run, when, model, gold in rows
        ]
    }
