"""Time and memory of push and pull with a real Label Studio on SQLite, which this starts on this machine.

    python -m benchmarks.label_studio --tasks 10000

People's annotations are imported in bulk and then entered in the server's own database as made by their
annotators, because Label Studio takes nine a second one by one.
"""

import argparse
import json
import os
import platform
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import pandas as pd
import sqlalchemy as sa

from adaptml.database import Database
from adaptml.features.points import Points
from adaptml.sampling import RANDOM, Source, draw_sample
from adaptml.tasks import load_task
from labelstudio.client import LabelStudio
from labelstudio.local_server import LocalServer, prepare, running
from labelstudio.project import find_project
from labelstudio.sample_tasks import label_studio_tasks

REPOSITORY = Path(__file__).resolve().parents[1]
INSTALLED = REPOSITORY / ".labelstudio"
NEW = 20
ROUNDS = 5


def main() -> None:
    """Measure and print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    n = parser.parse_args().tasks
    prepare(INSTALLED, REPOSITORY / "requirements" / "labelstudio-server.txt")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{n} tasks; {machine}, Python {platform.python_version()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="label-studio-") as scratch:
        room = Path(scratch)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with running(INSTALLED, room / "server", port) as server:
            environment = _environment(server, room)
            database = _posts(room, n)
            measured("setup", environment, "setup", "example")
            measured("push", environment, "push", "example", "--data", "posts", "--n", str(n))
            measured("push again", environment, "push", "example", "--data", "posts", "--n", str(n))
            studio = LabelStudio(server.url, server.token)
            task = load_task("example", REPOSITORY / "tasks")
            studio.call("DELETE", f"/api/projects/{find_project(studio, task)['id']}/", repeatable=True)
            measured("setup", environment, "setup", "example")
            project = int(find_project(studio, task)["id"])
            _annotated(studio, project, server, database)
            measured("first pull", environment, "pull", "example")
            measured("second pull", environment, "pull", "example")
            listed, _ = studio.list_tasks(project, NEW)
            times = []
            for round_ in range(ROUNDS):
                for entry in listed:
                    result = _result(task.class_names[round_ % 2])
                    studio.call("POST", f"/api/tasks/{entry['id']}/annotations/", json={"result": result})
                times.append(measured(f"pull of {NEW} new annotations", environment, "pull", "example"))
            print(
                f"median of {ROUNDS} pulls of {NEW} new: {median(times):.2f} s; load {os.getloadavg()[0]:.1f}"
            )


def measured(name: str, environment: dict[str, str], *arguments: str) -> float:
    """Run `adaptml annotate …` as a process of its own; print its seconds and its largest resident memory."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "adaptml.cli", "annotate", *arguments]
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(command, env=environment, stdout=printed, stderr=subprocess.STDOUT)
        _, _, used = os.wait4(process.pid, 0)
        printed.seek(0)
        first = next((line.strip() for line in printed if "━" not in line and "-:--" not in line), "")
    seconds, memory = time.perf_counter() - began, used.ru_maxrss / 1000
    busy = used.ru_utime + used.ru_stime
    print(f"{name:28} {seconds:6.2f} s  ({busy:5.2f} s busy)  {memory:4.0f} MB  {first}", flush=True)
    return seconds


def _environment(server: LocalServer, room: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTML_")}
    return kept | {
        "ADAPTML_ROOT": str(room),
        "ADAPTML_TASKS_DIR": str(REPOSITORY / "tasks"),
        "ADAPTML_LABEL_STUDIO_URL": server.url,
        "ADAPTML_LABEL_STUDIO_TOKEN_FILE": str(server.home / "token"),
        "PYTHONPATH": str(REPOSITORY),
    }


def _posts(room: Path, n: int) -> Database:
    database = Database(f"sqlite:///{room / 'workspace' / 'data.db'}")
    database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
    texts = [json.loads(line)["txt"] for line in (REPOSITORY / "example_data" / "posts.jsonl").open()]
    ids = [f"{i:07d}" for i in range(n)]
    rows = pd.DataFrame({"id": ids, "txt": [texts[i % len(texts)] for i in range(n)]})
    database.upsert("posts", rows, ["id"])
    return database


def _result(name: str) -> list[dict[str, object]]:
    return [{"from_name": "label", "to_name": "txt", "type": "choices", "value": {"choices": [name]}}]


def _annotated(studio: LabelStudio, project: int, server: LocalServer, database: Database) -> None:
    """All rows as tasks with two people's annotations each."""
    task = load_task("example", REPOSITORY / "tasks")
    sample = draw_sample(Source(Points(database, database), "posts"), RANDOM, database.count("posts"), 0)
    for start in range(0, len(sample.frame), 1000):
        keys = sample.frame.iloc[start : start + 1000]
        entries = label_studio_tasks(
            database.read(keys, ["txt"]), task, sample, keys["inclusion_prob"].tolist()
        )
        for i, entry in enumerate(entries):
            entry.pop("id")
            entry["annotations"] = [
                {"completed_by": {"email": account.email}, "ground_truth": False,
                 "result": _result(task.class_names[(i + place * (i % 7 == 0)) % len(task.class_names)])}
                for place, account in enumerate(server.annotators)
            ]  # fmt: skip
        studio.import_tasks(project, entries)
    with sqlite3.connect(server.home / "data" / "label_studio.sqlite3", timeout=60) as connection:
        connection.execute(
            "UPDATE task_completion SET updated_by_id = completed_by_id WHERE project_id = ?", [project]
        )


if __name__ == "__main__":
    main()
