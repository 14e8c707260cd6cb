"""The last run of everything: what its job told of each step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.jobs import Job, JobStore

STEPS = ("check", "featurize", "label", "train", "compare", "deploy")
LOOKED_AT = 50  # jobs


@dataclass(frozen=True)
class Everything:
    """A job of `adaptml run`.

    Attributes:
        job: the job.
        steps: the last event of each step that has begun, in order: `step`, `state`, `text`, `run_id`,
            `experiment_id`, `found`.
    """

    job: Job
    steps: Sequence[Mapping[str, Any]]

    @property
    def offered(self) -> tuple[str, str] | None:
        """The model and the version that are better than the champion and not deployed; None for none."""
        by_name = {step["step"]: step for step in self.steps}
        trained, compared = (by_name.get(name, {}).get("found") or {} for name in ("train", "compare"))
        deployed = by_name.get("deploy", {}).get("state") == "done"
        if self.job.state != "done" or deployed or not compared.get("better") or "version" not in trained:
            return None
        return str(trained["model"]), str(trained["version"])


def last_everything(jobs: JobStore, task: str) -> Everything | None:
    """The last run of everything of a task; None where there was none of late."""
    job = next((one for one in jobs.recent(LOOKED_AT, task) if one.argv[:1] == ("run",)), None)
    if job is None:
        return None
    last: dict[str, dict[str, Any]] = {}
    for event in jobs.events(job.id):
        if event.get("kind") == "step" and event.get("step") in STEPS:
            last[event["step"]] = {"found": {}, "run_id": "", "experiment_id": "", "text": ""} | event
    return Everything(job, [last[name] for name in STEPS if name in last])
