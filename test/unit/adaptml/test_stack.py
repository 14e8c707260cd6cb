import os
import re
import socket
import stat
from pathlib import Path

import pytest
import yaml

from adaptml.stack import PROFILES, PUBLISHED, Stack, StackError, database_place
from adaptml.stack_backup import Store, backup
from adaptml.stack_checks import MEMORY_GB, Finding, check_map_count, is_free, size_gb
from adaptml.stack_restore import restore
from adaptml.stack_secrets import PASSWORDS, make_secrets
from adaptml.stack_up import refuse

REPOSITORY = Path(__file__).resolve().parents[3]
COMPOSE = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(COMPOSE)["services"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docker-compose.yml").write_text("services: {}\n")
    return tmp_path


def test_the_environment_is_over_the_file_and_nothing_counts_as_not_set(folder: Path) -> None:
    (folder / ".env").write_text("API_PORT=8001\nCRATE_PORT=4201\nTASKS=\n")
    stack = Stack(folder, {"CRATE_PORT": "4202"})
    assert [stack.get(name, "default") for name in ("API_PORT", "CRATE_PORT", "TASKS", "OTHER")] == [
        "8001", "4202", "default", "default",
    ]  # fmt: skip


def test_without_a_compose_file_there_is_no_stack(tmp_path: Path) -> None:
    with pytest.raises(StackError) as caught:
        Stack(tmp_path, {})
    assert str(caught.value) == (
        f"no docker-compose.yml in {tmp_path}; expected a clone of ADaPT-ML: run this there, or set ADAPTML_ROOT"
    )


def test_addresses_are_what_a_browser_takes(folder: Path) -> None:
    stack = Stack(folder, {"API_BIND": "0.0.0.0", "DP_MLFLOW_PORT": "5010"})
    assert stack.addresses(["dp-mlflow", "dp-mlflow-server", "modelling-mlflow-deploy"]) == [
        ("data programming runs", "http://127.0.0.1:5010/"),
        ("predictions", "http://127.0.0.1/docs"),
    ]


def test_secrets_are_random_made_once_and_private(folder: Path) -> None:
    stack = Stack(folder, {})
    assert make_secrets(stack) == [*PASSWORDS, "database_settings"]
    files = {path.name: path.read_text() for path in stack.secrets.iterdir()}
    assert len({files[name] for name in PASSWORDS}) == len(PASSWORDS)
    assert files["database_settings"] == (
        f"ADAPTML_DATABASE_URL=crate://adaptml:{files['database_password']}@crate-db:4200\n"
    )
    for path in stack.secrets.iterdir():
        if path.name != ".gitignore":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert os.geteuid() != 0 or path.stat().st_uid == 1000
    assert "\n*\n" in files[".gitignore"]
    assert make_secrets(stack) == []
    assert {path.name: path.read_text() for path in stack.secrets.iterdir()} == files


def test_a_database_elsewhere_takes_the_place_of_the_stack_s_own(folder: Path) -> None:
    url = "postgresql+psycopg://ada:secret@db.example.org/research"
    own = Stack(folder, {})
    make_secrets(own)
    settings = own.secrets / "database_settings"
    of_its_own = settings.read_text()
    stack = Stack(folder, {"STACK_DATABASE_URL": url})
    assert make_secrets(stack) == ["database_settings"]
    assert settings.read_text() == f"ADAPTML_DATABASE_URL={url}\n"
    assert make_secrets(own) == ["database_settings"]
    assert settings.read_text() == of_its_own
    environment = stack.environment()
    assert environment["STACK_DATABASE"] == "db.example.org:5432"
    assert environment["COMPOSE_FILE"].split(os.pathsep) == [
        "docker-compose.yml",
        "docker/external-database.yml",
    ]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("crate://a:b@h", "h:4200"),
        ("crate://a:b@h:4300", "h:4300"),
        ("postgresql+psycopg://a:b@h/db", "h:5432"),
    ],
)
def test_the_place_of_a_database(url: str, place: str) -> None:
    assert database_place(url) == place


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///data.db", "STACK_DATABASE_URL sqlite:///data.db names no host; expected a database that containers "
         "can reach, such as crate://user:password@host:4200"),
        ("no address", "STACK_DATABASE_URL cannot be read as an address; expected such as "
         "crate://user:password@host:4200"),
    ],
)  # fmt: skip
def test_a_database_that_containers_cannot_reach_is_refused(url: str, message: str) -> None:
    with pytest.raises(StackError) as caught:
        database_place(url)
    assert str(caught.value) == message


def test_a_machine_that_is_not_ready_is_told_how_to_mend_it(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = Finding("port 80", False, "free", "taken", "set API_PORT in .env")
    with pytest.raises(StackError) as caught:
        refuse([wrong, Finding("memory", True, "", "", "")], force=False)
    assert str(caught.value) == (
        "this machine is not ready: port 80; mend what the table says, or start with --force where you know better"
    )
    shown = capsys.readouterr().out
    assert [word for word in ("free", "taken", "API_PORT") if word not in shown] == []
    refuse([wrong], force=True)
    refuse([], force=False)


def test_ports_and_kernel_settings(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        assert not is_free("0.0.0.0", port)
    assert is_free("127.0.0.1", port)
    count = tmp_path / "count"
    count.write_text("65530\n")
    found = check_map_count(count)
    assert (found.ok, found.found, found.expected) == (False, "65530", "262144 or more")
    count.write_text("262144\n")
    assert check_map_count(count).ok
    assert check_map_count(tmp_path / "none").ok


@pytest.mark.parametrize(("text", "gb"), [("1g", 1.0), ("512m", 0.512), ("2GB", 2.0), ("1000k", 0.001)])
def test_sizes(text: str, gb: float) -> None:
    assert size_gb(text) == pytest.approx(gb)


def test_a_size_that_is_none() -> None:
    with pytest.raises(StackError, match="'much' is no size; expected such as 512m or 2g"):
        size_gb("much")


def test_copies_of_folders_have_names_without_slashes() -> None:
    assert Store("/data/annotations", "/data/annotations").file == "data-annotations.tar"


def test_folders_that_cannot_be_used_are_refused(folder: Path) -> None:
    (folder / "file").write_text("")
    stack = Stack(folder, {"SECRETS": "file/secrets"})
    there, nowhere = folder / "there", folder / "file" / "monday"
    there.mkdir()
    messages = []
    for use in (
        lambda: make_secrets(stack),
        lambda: backup(stack, there),
        lambda: backup(stack, nowhere),
        lambda: restore(stack, there),
    ):
        with pytest.raises(StackError) as caught:
            use()
        messages.append(str(caught.value))
    assert messages == [
        f"{folder}/file/secrets cannot be written: Not a directory; expected to be the user who started the stack "
        "first, or root",
        f"{there} exists; expected a new folder for the backup: name another one",
        f"{nowhere} cannot be made: Not a directory; expected a place that this user may write to",
        f"{there} is no backup: it has no manifest.json; expected what `adaptml backup` wrote",
    ]


# The Compose file keeps what is promised of it.


def test_every_variable_of_the_compose_file_is_in_the_example_with_its_default() -> None:
    example = dict(re.findall(r"^#(\w+)=(.*)$", (REPOSITORY / ".env.example").read_text(), re.MULTILINE))
    used = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", COMPOSE))
    assert used.pop("STACK_DATABASE") == "crate-db:4200"  # what `adaptml up` makes of STACK_DATABASE_URL
    assert {name: example.get(name) for name in used} == used
    assert set(example) - set(used) == {"STACK_DATABASE_URL"}


def test_every_service_has_limits_a_health_check_and_no_rights() -> None:
    assert set(SERVICES) == {*MEMORY_GB, "crate-db"}
    for name, service in SERVICES.items():
        assert service["container_name"] == name
        assert set(service["profiles"]) <= set(PROFILES)
        assert "dev" in service["profiles"]
        assert service["cap_drop"] == ["ALL"]
        assert service["init"] is True
        assert service["mem_limit"]
        assert service["healthcheck"]["test"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not service["image"].endswith(":latest")
    for forbidden in ("privileged", "ulimits", "network_mode", "docker.sock"):
        assert forbidden not in COMPOSE
    assert not (REPOSITORY / "Dockerfile").read_text().startswith("# syntax")


def test_what_is_published_is_on_the_loopback_address_by_default() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == set(PUBLISHED)
    for name, (port,) in published.items():
        place = PUBLISHED[name]
        bind = f"${{{place.bind}:-127.0.0.1}}" if place.bind else "127.0.0.1"
        assert port.startswith(f"{bind}:${{{place.port}:-{place.default_port}}}:")


def test_cuda_is_never_asked_for() -> None:
    """On a machine with it, torch itself names what it needs; elsewhere that is gigabytes, or cannot be had."""
    for path in (REPOSITORY / "requirements").glob("*.txt"):
        assert re.findall(r"^(?:nvidia|cuda|triton).*", path.read_text(), re.MULTILINE) == []
