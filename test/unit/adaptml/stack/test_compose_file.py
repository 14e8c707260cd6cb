"""The Compose file, and the tracked file of its settings, keep what is promised of them."""

import ast
import re
import tomllib
from pathlib import Path

import yaml
from dotenv import dotenv_values

from adaptml.scale.certificates import FILES
from adaptml.settings import Settings, load_settings
from adaptml.settings_text import variable
from adaptml.stack.addresses import PUBLISHED
from adaptml.stack.checks import MEMORY_GB
from adaptml.stack.compose import HOST_FOLDERS, NAMED_PROFILES, PROFILES, VOLUMES
from portal.asks.remote import SERVICES as WORKERS

REPOSITORY = Path(__file__).resolve().parents[4]
COMPOSE = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(COMPOSE)["services"]
ENV = dotenv_values(REPOSITORY / ".env")
# What the stack finds out as it starts, and the default that the Compose file has for want of it.
COMPUTED = {"APP_UID": "1000", "APP_GID": "1000", "STACK_DATABASE": "crate-db:4200"}


def test_every_variable_of_the_compose_file_is_in_env_with_its_default() -> None:
    text = COMPOSE
    for name in HOST_FOLDERS:  # empty in .env: the folder of its name in DATA_PATH
        text = text.replace(f"${{{name.upper()}:-${{DATA_PATH:-./data}}/{name}}}", f"${{{name.upper()}:-}}")
    used = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text)) | {"DATA_PATH": "./data"}
    assert set(re.findall(r"\$\{(\w+)", COMPOSE)) == set(used)  # each has a default
    assert set(yaml.safe_load(COMPOSE)["volumes"]) == {*HOST_FOLDERS, *VOLUMES}
    assert {name: used[name.upper()] for name in VOLUMES} == {name: name for name in VOLUMES}
    assert {name: used[name] for name in COMPUTED} == COMPUTED
    assert {name: ENV.get(name) for name in used} == used | dict.fromkeys(COMPUTED, "")
    assert set(ENV) - set(used) == {"STACK_DATABASE_URL"}


def test_env_holds_no_secret_and_no_setting_of_the_library(clean_room: Path) -> None:
    """It is in every clone: what it said to the steps would change them for everybody."""
    assert ENV["STACK_DATABASE_URL"] == ""
    assert [name for name in ENV if re.search("PASSWORD|TOKEN|KEY|CREDENTIAL", name)] == []
    assert not re.search(r"^[^#].*://", (REPOSITORY / ".env").read_text(), re.MULTILINE)
    assert set(ENV) & {variable(name) for name in Settings.model_fields} == set()
    without = load_settings(clean_room)
    (clean_room / ".env").write_text((REPOSITORY / ".env").read_text())
    assert load_settings(clean_room) == without


def test_env_is_tracked_and_a_person_s_own_file_is_not() -> None:
    ignored = (REPOSITORY / ".gitignore").read_text().splitlines()
    assert {"/.env.dev", "/data/"} <= set(ignored)
    assert not {".env", "/.env", ".env*", "/.env*"} & set(ignored)
    assert not (REPOSITORY / ".env.example").exists()


def test_containers_find_the_address_of_the_database_in_the_file_that_wins() -> None:
    mounted = {
        name: secret["target"]
        for name, service in SERVICES.items()
        for secret in service.get("secrets", [])
        if isinstance(secret, dict) and secret["source"] == "database_settings"
    }
    steps = ("label-studio-dev", "dp-mlflow", "dp-mlflow-gpu", "modelling-mlflow", "modelling-mlflow-deploy")
    assert mounted == dict.fromkeys(("portal", *steps, "dask-worker"), "/app/.env.dev")
    assert "touch /app/.env.dev" in (REPOSITORY / "Dockerfile").read_text()


def secrets_of(service: str) -> set[str]:
    return {one if isinstance(one, str) else one["source"] for one in SERVICES[service].get("secrets", [])}


def test_the_page_alone_writes_tasks_and_no_container_knows_more_than_its_work_needs() -> None:
    places = {
        name: [
            volume.rpartition("/app/tasks")[2]
            for volume in service.get("volumes", [])
            if "/app/tasks" in volume
        ]
        for name, service in SERVICES.items()
    }
    assert [name for name, found in places.items() if found == [""]] == ["portal"]
    assert {tuple(found) for name, found in places.items() if name != "portal"} == {(), (":ro",)}
    tokens = {name: sorted(one for one in secrets_of(name) if one.startswith("worker_")) for name in SERVICES}
    of_rooms = {room: f"worker_{room}_token" for room in WORKERS}
    assert {name: found for name, found in tokens.items() if found} == {
        "portal": sorted(of_rooms.values()),
        "dp-mlflow-gpu": [of_rooms["labelling"]],
        **{name: [of_rooms[room]] for room, name in WORKERS.items()},
    }
    holders = {name for name in SERVICES if "label_studio_token" in secrets_of(name)}
    assert holders == {"label-studio-web", "label-studio-dev"}


def test_only_commands_print() -> None:
    """What does the work is also called from Python and from pages."""
    printing = [
        f"{path.name}: {function.name}"
        for path in (REPOSITORY / "adaptml" / "stack").glob("*.py")
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef) and function.name != "command"
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and re.search(r"\b(output|print|echo)$", ast.unparse(call.func))
    ]
    assert printing == []


def test_every_service_has_limits_a_health_check_and_no_rights() -> None:
    assert set(SERVICES) == {*MEMORY_GB, "crate-db"}
    for name, service in SERVICES.items():
        assert service.get("container_name", "") == (name if name != "dask-worker" else "")
        assert set(service["profiles"]) <= set(PROFILES)
        assert ("dev" in service["profiles"]) is (
            service["profiles"] not in [[one] for one in NAMED_PROFILES]
        )
        assert service["cap_drop"] == ["ALL"]
        assert service["init"] is True
        assert service["mem_limit"]
        assert service["healthcheck"]["test"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["pids_limit"] == 4096
        assert service["stop_grace_period"] == "30s"
        # Of CrateDB's image nobody promises that it writes nowhere else.
        assert service.get("read_only", False) is (name != "crate-db")
        assert not service["image"].endswith(":latest")
    for forbidden in ("privileged", "ulimits", "network_mode", "docker.sock"):
        assert forbidden not in COMPOSE
    assert not (REPOSITORY / "Dockerfile").read_text().startswith("# syntax")


def test_only_those_that_may_need_it_have_a_way_out_of_the_machine() -> None:
    """A published port needs a network that is not internal; without masquerading, that one leads in and not out."""
    masquerades = "com.docker.network.bridge.enable_ip_masquerade"
    way_out = {
        name
        for name, network in yaml.safe_load(COMPOSE)["networks"].items()
        if not network.get("internal") and network.get("driver_opts", {}).get(masquerades) != "false"
    }
    assert way_out == {"data"}
    assert {name for name, service in SERVICES.items() if way_out & set(service["networks"])} == {
        "crate-db", "portal", "label-studio-dev", "dp-mlflow", "dp-mlflow-gpu", "modelling-mlflow",
        "modelling-mlflow-deploy", "dask-worker",
    }  # fmt: skip


def test_workers_of_a_scheduler_have_a_network_and_certificates_of_their_own() -> None:
    """Whoever reaches a scheduler or a worker can run code there."""
    networks = yaml.safe_load(COMPOSE)["networks"]
    assert networks["scale"] == {"internal": True}
    on_it = {name for name, service in SERVICES.items() if "scale" in service["networks"]}
    clients = {"dp-mlflow", "dp-mlflow-gpu", "modelling-mlflow"}
    assert on_it == {"dask-scheduler", "dask-worker", *clients}
    assert on_it == {name for name in SERVICES if {*FILES} <= secrets_of(name)}
    assert on_it == {name for name in SERVICES if {*FILES} & secrets_of(name)}
    scheduler, worker = SERVICES["dask-scheduler"], SERVICES["dask-worker"]
    assert (scheduler["networks"], scheduler.get("volumes", [])) == (["scale"], [])
    assert secrets_of("dask-scheduler") == {*FILES}
    assert not {"ports", "expose"} & {*scheduler, *worker}
    assert worker["deploy"] == {"replicas": "${SCALE_WORKERS:-2}"}
    commands = [scheduler["command"][-1], re.findall(r"\"scale\", \"worker\", \"(.*)\"", DOCKERFILE)[0]]
    assert [command.partition("://")[0] for command in commands] == ["tls", "tls"]


def test_what_is_published_is_on_the_loopback_address_by_default() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == set(PUBLISHED)
    for name, (port,) in published.items():
        place = PUBLISHED[name]
        bind = f"${{{place.bind}:-127.0.0.1}}" if place.bind else "127.0.0.1"
        assert port.startswith(f"{bind}:${{{place.port}:-{place.default_port}}}:")


def test_torch_is_asked_for_by_the_tests_alone_and_cuda_by_nobody() -> None:
    """On a machine with CUDA, torch itself names what it needs; elsewhere that is gigabytes, or cannot be had."""
    asked = {
        path.name: set(
            re.findall(r"^(torch|tensorflow|nvidia|cuda|triton)\b.*==", path.read_text(), re.MULTILINE)
        )
        for path in (REPOSITORY / "requirements").glob("*.txt")
    }
    assert asked == {name: set() for name in asked} | {"test.txt": {"torch", "tensorflow"}}


def test_the_image_for_a_graphics_card_has_the_torch_of_the_extra() -> None:
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (asked,) = re.findall(r"^ARG TORCH=(.*)$", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)
    assert [asked] == extras["cuda"]
    (device,) = SERVICES["dp-mlflow-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])


def test_what_is_installed_has_hashes_and_names_no_index() -> None:
    """All but what tests need on top, whose torch may be a build of one's own."""
    for path in (REPOSITORY / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "://" not in text, path.name
        if path.name not in ("test.txt", "overrides.txt"):
            entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
            assert entries, path.name
            assert [entry for entry in entries if "--hash=sha256:" not in entry] == [], path.name


def test_mlflow_has_one_version_in_all_environments() -> None:
    found = {
        path.name: set(re.findall(r"^mlflow(?:-skinny|-tracing)?==(\S+)", path.read_text(), re.MULTILINE))
        for path in (REPOSITORY / "requirements").glob("*.txt")
    }
    assert len(set().union(*found.values())) == 1
    assert {"demo.txt", "mlflow-server.txt", "image-deploy.txt"} <= {
        name for name, versions in found.items() if versions
    }
