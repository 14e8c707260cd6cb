"""The page on running it: what it names is there, and what it shows works."""

import configparser
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from debian_programs import program_of
from dotenv import dotenv_values

from adaptml.settings import Settings
from adaptml.settings_text import variable

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "running.md").read_text(encoding="utf-8")
UNIT = REPOSITORY / "docs" / "adaptml.service"
COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))


def block(kind: str, having: str) -> str:
    """The fenced block of a kind that holds some text."""
    found = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (only,) = [text for text in found if having in text]
    return str(only)


def test_systemd_has_nothing_to_say_against_the_unit(tmp_path: Path) -> None:
    """It looks whether the program is there, which on this machine is elsewhere."""
    program = program_of("systemd", "systemd-analyze")
    unit = tmp_path / "adaptml.service"
    text = UNIT.read_text(encoding="utf-8").replace("/srv/adaptml/.venv/bin/adaptml", "/bin/true")
    unit.write_text(text.replace("User=adaptml", f"User={os.getuid()}"), encoding="utf-8")
    done = subprocess.run([program, "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_unit_starts_the_service_of_its_folder_and_lets_it_end_in_peace() -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text(encoding="utf-8"))
    service = parser["Service"]
    folder = service["WorkingDirectory"]
    assert service["ExecStart"] == f"{folder}/.venv/bin/adaptml serve"
    assert service["ReadWritePaths"] == f"{folder}/workspace"
    assert f"ADAPTML_ROOT={folder}" in service["Environment"].split()
    assert service["TimeoutStopSec"] + "s" == COMPOSE["services"]["crate-db"]["stop_grace_period"]


def test_the_jobs_of_cron_are_five_fields_and_a_command() -> None:
    lines = [line for line in block("text", "m h dom").splitlines() if not line.startswith("#")]
    assert len(lines) == 3
    for line in lines:
        match = re.fullmatch(r"(?:[\d*]+ +){5}cd /srv/adaptml && \.venv/bin/adaptml (\w+) .*", line)
        assert match, line
        assert not re.search(r"(?<!\\)%", line), "cron makes a bare % a new line"


def test_the_ports_that_are_taken_away_are_those_without_a_login() -> None:
    shown = block("yaml", "mlflow-server").replace("!reset ", "")
    assert yaml.safe_load(shown)["services"] == {
        name: {"ports": []} for name in ("dp-mlflow-server", "modelling-mlflow-server")
    }
    assert all(COMPOSE["services"][name]["ports"] for name in yaml.safe_load(shown)["services"])


def test_prometheus_is_told_where_the_service_is_and_shows_a_key() -> None:
    (job,) = yaml.safe_load(block("yaml", "scrape_configs"))["scrape_configs"]
    assert set(job["authorization"]) == {
        "credentials_file"
    }  # `Authorization: Bearer`, which the service takes
    assert job["static_configs"] == [{"targets": [f"127.0.0.1:{Settings.model_fields['port'].default}"]}]


def test_every_setting_that_is_named_is_one() -> None:
    named = set(re.findall(r"`([A-Z][A-Z0-9_]{4,})[`=]", PAGE))
    known = {variable(name) for name in Settings.model_fields} | set(dotenv_values(REPOSITORY / ".env"))
    assert {"ADAPTML_HOST", "API_BIND", "API_MEMORY"} <= named
    assert named - known - {"COMPOSE_FILE", "PATH", "FAILED", "RUNNING"} == set()


@pytest.mark.parametrize("service", ["dp-mlflow", "dp-mlflow-server", "modelling-mlflow-server"])
def test_what_is_typed_in_containers_is_in_their_images(service: str) -> None:
    typed = block("text", "docker exec")
    assert f"docker exec {service} " in typed
    copied = re.findall(r"^COPY (.*) /app/$", (REPOSITORY / "Dockerfile").read_text(encoding="utf-8"), re.M)
    for file in re.findall(r"/app/(\S+)", typed):
        assert any(f"docker/{file}" in line.split() for line in copied)
        assert (REPOSITORY / "docker" / file).is_file()
