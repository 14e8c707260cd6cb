import os
import stat
from pathlib import Path

from adaptml.scale.certificates import FILES
from adaptml.stack.compose import Stack
from adaptml.stack.secrets import PASSWORDS, make_secrets


def test_secrets_are_random_made_once_and_private(folder: Path) -> None:
    stack = Stack(folder, {})
    assert make_secrets(stack) == [*PASSWORDS, *FILES, "database_settings"]
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
    (stack.secrets / FILES[0]).unlink()
    assert make_secrets(stack) == [*FILES]  # one alone fits no other
    files |= {name: (stack.secrets / name).read_text() for name in FILES}
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
