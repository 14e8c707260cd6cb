"""The page in the stack: jobs and questions go to the containers that can do them, and nobody else comes in.

Its runs of labelling and training come after those that the other tests of the stack count.
"""

import http.cookiejar
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

JOB_S = 600


class Browser:
    """A person's browser on the page."""

    def __init__(self, server: Any) -> None:
        printed = server.execute("portal", "adaptml ui --invite Ana").strip()
        self.url, _, token = printed.partition("/enter#")
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)
        self.post("/enter", token=token)

    def get(self, path: str) -> str:
        """A page."""
        return self._ask(urllib.request.Request(self.url + path))

    def post(self, path: str, **form: str) -> str:
        """What a form's answer leads to."""
        return self._ask(urllib.request.Request(self.url + path, urllib.parse.urlencode(form).encode()))

    def _ask(self, request: urllib.request.Request) -> str:
        request.add_header("Sec-Fetch-Site", "same-origin")
        request.add_header("Accept", "text/html")
        with self._opener.open(request, timeout=200) as answer:
            text: str = answer.read().decode()
            return text


@pytest.fixture(scope="module")
def browser(server: Any) -> Browser:
    return Browser(server)


@pytest.fixture(scope="module")
def data(server: Any) -> None:
    server.execute("dp-mlflow", "python -m example_data.example_data_import --quiet")
    export = "/app/example_data/example_annotations.json"
    server.execute("label-studio-dev", f"python -m labelstudio.process_annotations {export} example 1")


def started(server: Any, words: str) -> int:
    said = server.execute("portal", f"adaptml jobs start {words}")
    return int(re.match(r"job (\d+): ", said)[1])  # type: ignore[index]


def done(browser: Browser, number: int) -> str:
    """The page of a job that has ended well."""
    deadline = time.monotonic() + JOB_S
    while "stream?after" in (page := browser.get(f"/jobs/{number}")):
        assert time.monotonic() < deadline, page
        time.sleep(1)
    assert '<span class="badge right">done</span>' in page, page
    return page


def status(of: Callable[[], Any]) -> int:
    try:
        of()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    return 200


def typed(server: Any, *words: str, check: bool = True) -> Any:
    """`adaptml …`, typed on the host."""
    return server.run(sys.executable, "-m", "adaptml.cli", *words, check=check)


def state(server: Any, number: int) -> str:
    """As `adaptml jobs show` has it on the host."""
    shown = typed(server, "jobs", "show", str(number), "--stack").stdout
    return str(re.search(r"^state +(\w+)", shown, re.MULTILINE)[1])  # type: ignore[index]


def waited(server: Any, number: int, *states: str) -> str:
    """The state of a job, as soon as it is one of these."""
    deadline = time.monotonic() + JOB_S
    while (found := state(server, number)) not in states:
        assert time.monotonic() < deadline, found
        time.sleep(0.5)
    return found


def test_jobs_are_started_by_a_browser(server: Any, browser: Browser, data: None) -> None:
    kinds = {
        "annotator-agreement example": "start again",
        "task check example --data example_data": "ok       task file",
    }
    for words, said in kinds.items():
        first = started(server, words)
        assert said in done(browser, first).lower()
        again = browser.post(f"/jobs/{first}/again")
        number = int(re.search(r"<h1>Job (\d+)", again)[1])  # type: ignore[index]
        assert "by Ana" in done(browser, number)
    shown = server.execute("portal", "adaptml jobs list")
    assert "annotator-agreement example" in shown


def test_jobs_are_typed_on_the_host(server: Any, data: None) -> None:
    said = typed(server, "jobs", "start", "--stack", "task", "check", "example", "--data", "example_data")
    number = str(re.search(r"^job (\d+): adaptml task check", said.stdout, re.MULTILINE)[1])  # type: ignore[index]
    log = typed(server, "jobs", "log", number, "--follow", "--stack").stdout
    assert "task file" in log
    assert re.search(
        rf"^{number} +done +adaptml task check", typed(server, "jobs", "list", "--stack").stdout, re.M
    )
    failed = typed(server, "jobs", "start", "--stack", "task", "check", "nosuch")
    number = str(re.search(r"^job (\d+): ", failed.stdout, re.MULTILINE)[1])  # type: ignore[index]
    ended = typed(server, "jobs", "log", number, "--follow", "--stack", check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stdout + ended.stderr
    refused = server.run("docker", "exec", "dp-mlflow", "adaptml", "jobs", "list", check=False)
    assert (refused.returncode, "typed in the container dp-mlflow" in refused.stderr) == (1, True)


def test_a_job_that_is_cancelled_ends_in_its_container_and_the_next_one_begins(
    server: Any, browser: Browser, data: None
) -> None:
    """The first is at work, the second waits behind it."""
    label = "label example --data example_data"
    first, second = (started(server, label) for _ in range(2))
    waited(server, first, "running")
    deadline = time.monotonic() + JOB_S
    while label not in server.run("docker", "top", "dp-mlflow", "-o", "pid,args").stdout:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "cancelled" in typed(server, "jobs", "cancel", str(second), "--stack").stdout
    assert "is told to end" in typed(server, "jobs", "cancel", str(first), "--stack").stdout
    assert waited(server, first, "cancelled", "done", "failed") == "cancelled"
    assert state(server, second) == "cancelled"
    assert label not in server.run("docker", "top", "dp-mlflow", "-o", "pid,args").stdout
    done(browser, started(server, "task check example --data example_data"))


def test_what_is_kept_is_written_by_the_page_s_container_into_the_task_s_file(
    server: Any, browser: Browser, data: None
) -> None:
    file = Path(server.environment["TASKS"]) / "example" / "task.yaml"
    before = file.read_text()
    try:
        page = done(browser, started(server, "label example --data example_data --label-model union --keep"))
        assert "kept" in page
        run = re.findall(r"RUN_ID[^0-9a-f]+([0-9a-f]{32})|/runs/([0-9a-f]{32})", page)
        assert yaml.safe_load(file.read_text())["label"]["label_model"] == "union"
        number = "".join(run[0])
        done(browser, started(server, f"train example --data {number} --gold task --strategy union --keep"))
        assert yaml.safe_load(file.read_text())["train"]["strategy"] == "union"
        assert file.read_text().startswith(before.rstrip())
    finally:
        file.write_text(before)


def test_runs_that_were_deleted_go_for_good_with_their_files(server: Any) -> None:
    code = "import mlflow; run = mlflow.start_run(); mlflow.log_text('x', 'x.txt'); print('made', run.info.run_id)"
    run = (
        server.run("docker", "exec", "dp-mlflow", "python", "-c", code)
        .stdout.partition("made ")[2]
        .split()[0]
    )
    (file,) = Path(server.environment["DATA_PATH"]).glob(f"dp_mlruns/*/{run}/artifacts/x.txt")
    gc = f"python /app/gc-mlflow-server.py --run-ids {run}"
    assert server.run(
        "docker", "exec", "dp-mlflow-server", *gc.split(), check=False
    ).returncode  # not deleted yet
    assert file.exists()
    server.execute("dp-mlflow", f"mlflow runs delete --run-id {run}")
    assert "permanently deleted" in server.execute("dp-mlflow-server", gc)
    assert not file.exists()


def test_a_run_of_everything_is_a_job_of_steps_that_each_container_does(
    server: Any, browser: Browser, data: None
) -> None:
    page = done(browser, started(server, "run example --data example_data"))
    for step in ("check", "featurize", "label", "train", "compare"):
        assert f'<th scope="row">{step}</th>' in page
    assert "(labelling, done)" in page
    assert "(modelling, done)" in page
    assert len(set(re.findall(r"/runs/(\w{32})", page))) >= 2


def test_services_are_asked_by_the_containers_that_reach_them(browser: Browser) -> None:
    page = browser.get("/home/services")
    assert "does not answer" not in page
    for name in ("Label Studio", "Runs of labelling", "Runs of modelling", "Predictions"):
        assert name in page


def test_a_question_about_rules_is_answered_by_the_container_that_runs_them(
    browser: Browser, data: None
) -> None:
    page = browser.get("/tasks/example/rules/bench?table=example_data")
    assert "coverage" in page.lower()
    assert "did not fetch" not in page


def test_classes_change_by_a_job_and_the_page_s_container_writes_the_file(
    server: Any, browser: Browser, data: None
) -> None:
    done(browser, started(server, "task classes example --rename snake=serpent --yes"))
    assert "name: serpent" in server.execute("dp-mlflow", "cat /app/tasks/example/task.yaml")
    done(browser, started(server, "task classes example --undo --yes"))
    assert "name: snake" in server.execute("dp-mlflow", "cat /app/tasks/example/task.yaml")


def test_who_may_what(server: Any, browser: Browser) -> None:
    assert status(lambda: urllib.request.urlopen(f"{browser.url}/jobs", timeout=60)) == 401
    assert status(lambda: browser.post("/worker/claim")) == 401
    assert server.run("docker", "exec", "dp-mlflow", "touch", "/app/tasks/x", check=False).returncode
    server.execute("portal", "touch /app/tasks/x")
    server.execute("portal", "rm /app/tasks/x")
    seen = {name: server.execute(name, "ls /run/secrets").split() for name in ("portal", "dp-mlflow")}
    assert "label_studio_token" not in seen["portal"] + seen["dp-mlflow"]
    assert [one for one in seen["dp-mlflow"] if one.startswith("worker_")] == ["worker_labelling_token"]


def test_a_job_goes_on_while_the_page_is_restarted(server: Any, browser: Browser, data: None) -> None:
    number = started(server, "label example --data example_data")
    server.run("docker", "restart", "portal")
    server.wait()
    assert "RUN_ID" in done(browser, number)
