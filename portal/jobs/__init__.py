"""Jobs: steps that run as `adaptml …` in a process of their own, and what is known of each."""

from portal.jobs.job import Job, JobError, Progress
from portal.jobs.store import JobStore

__all__ = ["Job", "JobError", "JobStore", "Progress"]
