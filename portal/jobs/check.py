"""What the jobs are doing, in one line."""

from collections import Counter

from adaptml.project import Project
from adaptml.tasks.check import Finding
from portal.jobs.store import JobStore
from portal.paths import database_path


def check_jobs(project: Project) -> list[Finding]:
    """Count the latest jobs by state; none where nobody has used jobs yet, so that no file has to be made."""
    home = project.settings.home
    if not database_path(home).exists():
        return []
    jobs = JobStore(home).recent()
    counts = Counter(str(job.state) for job in jobs)
    text = ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "none yet"
    found = [Finding("ok", "jobs", f"{text}; `adaptml jobs` lists them")]
    last = jobs[0] if jobs else None
    if last is not None and last.state in ("failed", "lost"):
        text = f"job {last.id} is {last.state}: {last.error}; see `adaptml jobs log {last.id}`"
        found.append(Finding("warning", "last job", text))
    return found
