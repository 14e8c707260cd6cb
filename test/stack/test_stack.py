"""The example through `docker exec` and `curl`, and then everything that can go wrong with the containers."""

import contextlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from adaptml.errors import LabelStudioError
from adaptml.stack.backup import backup, own_image
from adaptml.stack.compose import HOST_FOLDERS, Stack
from adaptml.stack.up import how_to_move
from example_data.make_annotations import TASKS
from labelstudio.client import LabelStudio

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = "python -m labelstudio.sample_tasks example_data txt 30 example --filename example_tasks"
LABEL = (
    "mlflow run dataprogramming -e example --env-manager local --experiment-name eg "
    "-P train_data=/unlabeled_data/multiclass.parquet -P dev_data=1 -P task=multiclass -P seed=8"
)
TRAINED_ON = "/dp_mlruns/*/*/artifacts/training_data.parquet"


def train(server: Any) -> str:
    """The command that trains on the first labels there are."""
    listing = server.run("docker", "exec", "modelling-mlflow", "bash", "-c", f"ls {TRAINED_ON}").stdout
    found = listing.split()[0]
    return (
        "mlflow run modelling -e mlp --env-manager local --experiment-name eg -P setting=multiclass -P seed=8 "
        f"-P train_data={found} -P test_data={found.replace('training', 'development')}"
    )


def data_path(server: Any) -> Path:
    """The folder of this machine that the stack's files are in."""
    return Path(server.environment["DATA_PATH"])


def runs(server: Any, container: str, port: str) -> dict[str, str]:
    """Status of each run that a tracking server knows."""
    address = f"http://127.0.0.1:{server.environment[port]}/api/2.0/mlflow/runs/search"
    body = json.dumps({"experiment_ids": ["1"], "max_results": 200})
    answer = server.run(
        "curl", "--silent", "--fail", "--header", "Content-Type: application/json", "--data", body, address
    )
    return {run["info"]["run_id"]: run["info"]["status"] for run in json.loads(answer.stdout).get("runs", [])}


@pytest.fixture(scope="session")
def predicted(server: Any) -> Any:
    """What the service answers after the whole example."""
    server.execute("dp-mlflow", "python -m example_data.example_data_import --quiet")
    server.execute("label-studio-dev", SAMPLE)
    export = "/app/example_data/example_annotations.json"
    gold = server.execute("label-studio-dev", f"python -m labelstudio.process_annotations {export} example 1")
    assert "90 gold labels" in gold
    report = server.execute("label-studio-dev", "python -m labelstudio.annotator_agreement example")
    assert "start again" in report.lower()
    server.execute("dp-mlflow", LABEL)
    server.execute("modelling-mlflow", train(server))
    server.execute("modelling-mlflow", "python -m modelling.deploy multiclass_example")
    return server.prediction()


def test_the_example_ends_in_a_prediction(server: Any, predicted: Any) -> None:
    assert predicted["id"] == server.asked["id"]
    assert [
        sum(flags)
        for flags in zip(*(predicted[c] for c in ("cat", "dog", "bird", "horse", "snake")), strict=True)
    ] == [1, 1, 1]
    assert server.curl("/health")[1]["loaded"] == {"multiclass_example": "1"}
    status, answer = server.curl(
        "/predict_multiclass_example", {"table_name": ["example_data"], "id": ["nobody"]}
    )
    assert (status, answer["error"]["code"]) == (404, "unknown_data_points")


def test_what_goes_in_and_comes_out_lies_on_the_host(server: Any, predicted: Any) -> None:
    data = data_path(server)
    assert {path.name for path in data.iterdir()} == set(HOST_FOLDERS)
    assert {(path.stat().st_uid, path.stat().st_mode & 0o777) for path in data.iterdir()} == {
        (owner(), 0o755)
    }
    finished = runs(server, "dp-mlflow", "DP_MLFLOW_PORT")
    frames = {path.parts[-3]: path for path in data.glob("dp_mlruns/1/*/artifacts/training_data.parquet")}
    assert set(finished) == set(frames)
    assert len(pd.read_parquet(next(iter(frames.values())))) > 50
    assert (data / "annotations" / "example" / "gold_df.parquet").is_file()
    mine = data / "unlabeled_data" / "mine.csv"
    mine.write_text("table_name,id\nexample_data,001\n")
    shown = server.execute("dp-mlflow", "adaptml lfs example --data /unlabeled_data/mine.csv --gold none")
    assert "in none of 1 rows" in shown


def owner() -> int:
    """The user that containers run as."""
    return os.getuid() or 1000


def test_a_volume_of_before_stays_in_use_until_it_is_moved(server: Any, predicted: Any) -> None:
    volume = f"{server.project}_predictions"
    server.run("docker", "volume", "create", volume)
    stack = Stack(REPOSITORY, os.environ | server.environment)
    image = own_image(stack)
    try:
        fill = "mkdir /to/deep && echo old > /to/deep/old.txt && chown -R 1000 /to/deep"
        server.run(
            "docker", "run", "--rm", "--user", "0", "--volume", f"{volume}:/to", image, "sh", "-c", fill
        )
        mounts = stack.config()["services"]["modelling-mlflow"]["volumes"]
        assert {"type": "volume", "source": "predictions"}.items() <= next(
            mount for mount in mounts if mount["target"] == "/predictions"
        ).items()
        said = how_to_move(stack, image)
        assert "predictions" in said[0]
        server.run("bash", "-c", said[2])
    finally:
        server.run("docker", "volume", "rm", "--force", volume)
    moved = data_path(server) / "predictions" / "deep" / "old.txt"
    assert (moved.read_text(), moved.stat().st_uid) == ("old\n", owner())
    assert Stack(REPOSITORY, os.environ | server.environment).folders["predictions"] == moved.parents[1]
    shutil.rmtree(moved.parent)


def test_label_studio_imports_the_task_files_as_its_page_does(server: Any, predicted: Any) -> None:
    server.execute("label-studio-dev", "adaptml annotate setup example")
    token = (Path(server.environment["SECRETS"]) / "label_studio_token").read_text()
    sampled = data_path(server) / "annotations" / "example" / "example_tasks.json"
    with LabelStudio(f"http://127.0.0.1:{server.environment['LABEL_STUDIO_PORT']}", token) as studio:
        (project,) = studio.projects()
        for path, tasks in ((sampled, 30), (TASKS, 90)):
            files = {"file": (path.name, path.read_bytes(), "application/json")}
            answer = studio.call("POST", f"/api/projects/{project['id']}/import", files=files)
            assert answer["task_count"] == tasks


def test_label_studio_fetches_nothing_from_inside_the_network(server: Any) -> None:
    server.execute("label-studio-dev", "adaptml annotate setup example")
    token = (Path(server.environment["SECRETS"]) / "label_studio_token").read_text()
    with LabelStudio(f"http://127.0.0.1:{server.environment['LABEL_STUDIO_PORT']}", token) as studio:
        (project,) = studio.projects()
        for host in (
            "127.0.0.1:8080",
            "label-studio-dev",
            "label-studio-web:8080",
            "169.254.169.254",
            "172.17.0.1",
        ):
            with pytest.raises(LabelStudioError, match="reserved network address"):
                path = f"/api/projects/{project['id']}/import"
                studio.call("POST", path, data={"url": f"http://{host}/"})


def test_a_second_look_at_the_rules_takes_their_votes_from_the_volume(server: Any, predicted: Any) -> None:
    look = "adaptml lfs example --data example_data --gold none"
    server.execute("dp-mlflow", look)
    assert re.search(r"votes: [1-9][\d,]* kept from before, 0 computed", server.execute("dp-mlflow", look))


def test_training_takes_the_id_of_a_labelling_run(server: Any, predicted: Any) -> None:
    run = next(iter(runs(server, "dp-mlflow", "DP_MLFLOW_PORT")))
    command = "mlflow run modelling -e logistic_regression --env-manager local --experiment-name eg -P setting=multiclass"
    assert "registered" in server.execute(
        "modelling-mlflow", f"{command} -P train_data={run} -P test_data={run}"
    )


def test_nothing_listens_beyond_this_machine_and_nothing_runs_as_root(server: Any) -> None:
    inspected = json.loads(server.run("docker", "inspect", *server.containers).stdout)
    bound = [
        b["HostIp"]
        for c in inspected
        for ports in c["NetworkSettings"]["Ports"].values()
        for b in ports or []
    ]
    assert len(bound) == 6
    assert set(bound) == {"127.0.0.1"}
    for container in inspected:
        name, host = container["Name"], container["HostConfig"]
        assert not host["Privileged"], name
        assert host["CapDrop"] == ["ALL"], name
        assert host["Init"], name
        assert host["PidsLimit"] == 4096, name
        assert host["ReadonlyRootfs"] is (name != "/crate-db"), name
        users = server.run("docker", "top", name.strip("/"), "-o", "pid,user,args").stdout.splitlines()[1:]
        assert not [line for line in users if line.split()[1] == "root" and "init" not in line], users


@pytest.mark.parametrize(
    ("container", "other"),
    [("dp-mlflow", "dp-mlflow-db"), ("dp-mlflow", "modelling-mlflow-server"), ("dp-mlflow", "label-studio-web"),
     ("modelling-mlflow", "modelling-mlflow-db"), ("modelling-mlflow-deploy", "label-studio-web"),
     ("dp-mlflow-server", "crate-db"), ("label-studio-web", "crate-db")],
)  # fmt: skip
def test_those_that_do_not_need_each_other_do_not_meet(server: Any, container: str, other: str) -> None:
    code = f"import socket; socket.getaddrinfo('{other}', 1)"
    assert server.run("docker", "exec", container, "python", "-c", code, check=False).returncode != 0


@pytest.mark.parametrize("container", ["label-studio-web", "dp-mlflow-server", "modelling-mlflow-server"])
def test_what_needs_nothing_elsewhere_has_no_way_out(server: Any, container: str) -> None:
    """Docker answers their ports all the same, as the other tests see."""
    (inspected,) = json.loads(server.run("docker", "inspect", container).stdout)
    names = inspected["NetworkSettings"]["Networks"]
    networks = json.loads(server.run("docker", "network", "inspect", *names).stdout)
    masquerades = "com.docker.network.bridge.enable_ip_masquerade"
    assert [
        one["Name"] for one in networks if not one["Internal"] and one["Options"].get(masquerades) != "false"
    ] == []


def test_status_names_every_container_and_its_health(server: Any) -> None:
    shown = server.adaptml("status", "--stack").stdout
    assert [name for name in server.containers if name not in shown] == []
    assert "unhealthy" not in shown
    assert f"volume {server.project}_votes" in shown
    assert f"folder {data_path(server) / 'dp_mlruns'}" in shown


def test_compose_by_itself_reads_the_files_as_the_documents_say(server: Any, tmp_path: Path) -> None:
    """A folder of the same files, where nothing is started: what Compose would do there."""
    for name in ("docker-compose.yml", ".env"):
        shutil.copy(REPOSITORY / name, tmp_path)
    (tmp_path / ".env.dev").write_text("STACK_NAME=mine\nAPI_PORT=8001\nCRATE_PORT=8002\nTASKS=\n")
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}

    def config(*options: str, **environment: str) -> list[str]:
        words = ["docker", "compose", *options, "--profile", "dev", "config", "--format", "json"]
        done = subprocess.run(words, cwd=tmp_path, env=clean | environment, capture_output=True, check=True)
        return facts(json.loads(done.stdout))

    def facts(config: dict[str, Any]) -> list[str]:
        services = config["services"]
        ports = [services[name]["ports"][0]["published"] for name in ("modelling-mlflow-deploy", "crate-db")]
        tasks = next(v["source"] for v in services["dp-mlflow"]["volumes"] if v["target"] == "/app/tasks")
        return [config["name"], *ports, Path(tasks).name]

    both = ("--env-file", ".env", "--env-file", ".env.dev")
    assert config() == ["adaptml", "80", "4200", "tasks"]
    assert config(*both) == ["mine", "8001", "8002", "tasks"]
    assert config(*both, API_PORT="8003") == ["mine", "8003", "8002", "tasks"]
    assert config(COMPOSE_ENV_FILES=".env,.env.dev") == config(*both)
    assert facts(Stack(tmp_path, clean).config()) == config(*both)
    assert facts(Stack(tmp_path, clean | {"API_PORT": "8003", "CRATE_PORT": ""}).config()) == [
        "mine", "8003", "8002", "tasks",
    ]  # fmt: skip


def test_logs_are_of_the_services_that_are_named(server: Any) -> None:
    shown = server.adaptml("logs", "dp-mlflow-server", "--tail", "5").stdout
    assert "dp-mlflow-server" in shown
    assert "label-studio" not in shown
    refused = server.adaptml("logs", "nosuch", check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(
        "error: the stack has no service 'nosuch'; expected one of crate-db, dask-scheduler, dask-worker, dp-"
    )
    assert refused.stderr.count("\n") == 1


def test_a_file_of_this_machine_is_imported_into_the_stack_s_database(server: Any, tmp_path: Path) -> None:
    path = tmp_path / "my posts.csv"
    path.write_text('id,txt\n1,Good morning\n2,"Good night, all"\n')
    command = [sys.executable, "-m", "adaptml.cli", "import", str(path), "imported_posts", "--stack"]
    assert "imported_posts: 2 rows read: 2 new" in server.run(*command).stdout
    assert "2 unchanged" in server.run(*command).stdout
    assert "my posts.csv" in server.execute("dp-mlflow", "adaptml tables")
    assert server.execute("dp-mlflow", "ls /unlabeled_data/.imports") == ""
    path.write_text("id,txt\n1,Good morning,all\n")
    failed = server.run(*command, check=False)
    assert failed.returncode == 1
    assert "line 2: 3 values" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_one_run_of_everything_is_typed_on_the_host(server: Any, predicted: Any) -> None:
    """Its steps are done in the containers of labelling and of modelling; nothing is deployed unasked."""
    command = [sys.executable, "-m", "adaptml.cli", "run", "example", "--data", "example_data", "--stack"]
    first = server.run(*command).stdout
    assert re.findall(r"^(\w+) +(done|kept|skipped) ", first, re.MULTILINE) == [
        ("check", "done"), ("featurize", "kept"), ("label", "done"), ("train", "done"), ("compare", "done"),
        ("deploy", "skipped"),
    ]  # fmt: skip
    assert "Next: `docker exec modelling-mlflow adaptml deploy multilabel_example --version 1`" in first
    again = server.run(*command).stdout
    assert re.findall(r"^(label|train) +kept ", again, re.MULTILINE) == ["label", "train"]
    assert re.findall(r" run (\w{32})$", again, re.MULTILINE) == re.findall(
        r" run (\w{32})$", first, re.MULTILINE
    )
    failed = server.run(*command[:-2], "posts_of_nobody", "--stack", check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: stopped at check: data: no table 'posts_of_nobody'")
    assert failed.stderr.count("\n") == 1
    inside = server.run("docker", "exec", "dp-mlflow", "adaptml", "run", "example", check=False)
    assert (inside.returncode, "expected on the host" in inside.stderr) == (1, True)


def test_a_restart_of_everything_changes_nothing(server: Any, predicted: Any) -> None:
    server.run("docker", "restart", *server.containers)
    server.wait()
    assert server.prediction() == predicted


def test_new_secrets_are_taken_by_every_server_that_keeps_one(server: Any, predicted: Any) -> None:
    """The registry answers only where MLflow comes into MariaDB, and Label Studio only for its owner's token."""
    names = ("modelling_mlflow_db_password", "label_studio_token", "worker_modelling_token")
    folder = server.folder / "secrets"
    before = {name: (folder / name).read_text() for name in names}
    server.run(sys.executable, "-m", "adaptml.cli", "secrets", "rotate", *names)
    assert [name for name in names if (folder / name).read_text() == before[name]] == []
    server.wait()
    assert server.prediction() == predicted
    address = f"http://127.0.0.1:{server.environment['LABEL_STUDIO_PORT']}/api/current-user/whoami"
    headers = {"Authorization": f"Token {(folder / 'label_studio_token').read_text()}"}
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as answer:
        assert answer.status == 200


def test_down_and_up_keep_everything(server: Any, predicted: Any) -> None:
    server.adaptml("down")
    server.adaptml("up")
    assert server.prediction() == predicted


def work(server: Any, container: str) -> tuple[str, str]:
    """A container and a command in it that a container is killed under."""
    if container.startswith("modelling"):
        return "modelling-mlflow", train(server)
    return ("label-studio-dev", SAMPLE) if container.startswith("label-studio") else ("dp-mlflow", LABEL)


def kill_in_the_middle(server: Any, container: str) -> None:
    """Kill a container while its command is at work, however that ends."""
    place, command = work(server, container)
    working = server.begin(place, command)
    time.sleep(6 if "mlflow run" in command else 1)  # in the middle of it
    server.kill(container)
    working.wait(timeout=300)


def test_after_a_kill_the_next_command_works_and_nothing_is_half_written(
    server: Any, predicted: Any, killed: list[str]
) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda one: kill_in_the_middle(server, one), killed))
        server.wait()
        list(pool.map(lambda one: server.execute(*work(server, one)), killed))
    assert server.prediction() == predicted
    finished = {
        run for run, status in runs(server, "dp-mlflow", "DP_MLFLOW_PORT").items() if status == "FINISHED"
    }
    listing = server.run(
        "docker", "exec", "modelling-mlflow", "bash", "-c", f"ls {TRAINED_ON}"
    ).stdout.split()
    assert finished <= {Path(path).parts[-3] for path in listing}


def test_while_the_database_is_away_the_service_says_so_and_recovers_by_itself(
    server: Any, predicted: Any
) -> None:
    server.run("docker", "stop", "crate-db")
    for path, body in (("/predict_multiclass_example", server.asked), ("/health", None)):
        status, answer = server.curl(path, body)
        assert (status, answer["error"]["code"]) == (503, "database_unavailable")
    failed = server.run("docker", "exec", "label-studio-dev", *SAMPLE.split(), check=False)
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    server.run("docker", "start", "crate-db")
    server.wait()
    assert server.prediction() == predicted


def test_the_service_wants_its_key_when_it_is_published(server: Any, predicted: Any) -> None:
    server.environment["API_BIND"] = "0.0.0.0"
    try:
        server.adaptml("up", "deploy")
        assert server.curl("/predict_multiclass_example", server.asked)[0] == 401
        key = (Path(server.environment["SECRETS"]) / "api_key").read_text()
        assert server.curl("/predict_multiclass_example", server.asked, f"X-API-Key: {key}")[1] == predicted
    finally:
        del server.environment["API_BIND"]
        server.adaptml("up", "deploy")


def test_without_a_secret_nothing_starts(server: Any) -> None:
    secret = Path(server.environment["SECRETS"]) / "api_key"
    text = secret.read_text()
    secret.unlink()
    try:
        words = (
            "docker",
            "compose",
            "--profile",
            "deploy",
            "up",
            "--detach",
            "--force-recreate",
            "--no-deps",
        )
        failed = server.run(*words, "modelling-mlflow-deploy", check=False)
        assert failed.returncode != 0
        assert "api_key" in failed.stderr
    finally:
        secret.write_text(text)
        secret.chmod(0o600)
        with contextlib.suppress(PermissionError):
            os.chown(secret, 1000, 1000)
        server.adaptml("up")


def test_a_backup_restored_into_an_empty_stack_serves_the_same(server: Any, predicted: Any) -> None:
    kept = server.folder / "backup"
    saved = server.adaptml("backup", str(kept), "--stack").stdout
    assert [words for words in ("14 stores, ", str(kept), "passwords") if words not in saved] == []
    assert server.prediction() == predicted
    refused = server.adaptml("restore", str(kept), check=False)
    assert "the stack has containers" in refused.stderr
    server.run("docker", "compose", "--profile", "dev", "down", "--volumes")
    shutil.rmtree(data_path(server))
    server.adaptml("restore", str(kept))
    server.adaptml("up")
    assert server.prediction() == predicted
    server.execute("dp-mlflow", LABEL)


@pytest.fixture
def database_elsewhere(server: Any, tmp_path: Path) -> Any:
    """Address of an empty PostgreSQL that is no part of the stack, as containers reach it."""
    name, password = "adaptml-test-elsewhere", secrets.token_hex(16)
    secret = tmp_path / "elsewhere.env"
    secret.write_text(f"POSTGRES_PASSWORD={password}\n")
    gateway = "{{(index .IPAM.Config 0).Gateway}}"
    host = server.run("docker", "network", "inspect", "bridge", "--format", gateway).stdout.strip()
    words = (
        "--env",
        "POSTGRES_USER=ada",
        "--env-file",
        str(secret),
        "--env",
        "POSTGRES_DB=research",
    )
    server.run(
        "docker",
        "run",
        "--detach",
        "--rm",
        "--name",
        name,
        "--publish",
        f"{host}::5432",
        *words,
        "postgres:17",
    )
    try:
        place = server.run("docker", "port", name, "5432").stdout.strip()
        yield f"postgresql+psycopg://ada:{password}@{place}/research"
    finally:
        server.run("docker", "stop", name)


def test_the_data_may_lie_in_a_database_elsewhere(
    server: Any, predicted: Any, database_elsewhere: str, capfd: pytest.CaptureFixture[str]
) -> None:
    server.adaptml("down")
    usual = dict(server.environment)
    server.environment |= {"COMPOSE_FILE": "docker-compose.yml", "STACK_DATABASE_URL": database_elsewhere}
    server.environment.pop("STACK_DATABASE", None)
    try:
        server.adaptml("up", "data_programming", "deploy")
        assert server.health()["crate-db"] == ""
        status, answer = server.curl("/predict_multiclass_example", server.asked)
        assert (status, answer["error"]["code"]) == (404, "unknown_table")
        server.execute("dp-mlflow", "python -m example_data.example_data_import --quiet")
        assert server.prediction() == predicted
        server.adaptml("down")
        capfd.readouterr()
        saved = backup(Stack(REPOSITORY, os.environ | server.environment), server.folder / "elsewhere")
        assert saved.data_elsewhere
        assert "crate_data" not in [store.key for store in saved.stores]
        assert capfd.readouterr() == ("", "")  # from Python it says nothing by itself
    finally:
        server.adaptml("down", check=False)
        server.environment.clear()
        server.environment.update(usual)
        server.adaptml("up")
    assert server.prediction() == predicted


def test_a_full_volume_fails_the_run_and_harms_nothing_else(server: Any, predicted: Any) -> None:
    """Labelling's artifacts on a volume of 16 MB: full, a run fails in one line; with room, the next one works."""
    usual = dict(server.environment)
    files = server.environment.get("COMPOSE_FILE", "docker-compose.yml")
    server.environment |= {
        "COMPOSE_FILE": f"{files}:{REPOSITORY}/test/stack/small-volume.yml",
        "DP_MLRUNS": "small",
    }
    try:
        server.adaptml("up", "data_programming")
        fill = "import os; f = open('/mlruns/filler', 'wb'); [f.write(bytes(4096)) or f.flush() for _ in range(10**6)]"
        server.run("docker", "exec", "dp-mlflow-server", "python", "-c", fill, check=False)
        before = set(runs(server, "dp-mlflow", "DP_MLFLOW_PORT"))
        server.run("docker", "exec", "dp-mlflow", *LABEL.split(), check=False)
        known = runs(server, "dp-mlflow", "DP_MLFLOW_PORT")
        assert [status for run, status in known.items() if run not in before] == ["FAILED"]
        server.execute("dp-mlflow-server", "rm /mlruns/filler")
        assert "registered" in server.execute("dp-mlflow", LABEL)
    finally:
        server.environment.clear()
        server.environment.update(usual)
        server.adaptml("up")
        server.run("docker", "volume", "rm", f"{server.project}_small")
    assert server.prediction() == predicted
