from collections.abc import Sequence
from pathlib import Path

import pytest

from adaptml.stack.checks import Finding
from adaptml.stack.compose import Stack, StackError
from adaptml.stack.up import HostNotReadyError, overlook, up

PORT = Finding("port 80", False, "free, for the service", "taken", "set API_PORT in .env.dev")
MEMORY = Finding("memory", True, "5.0 GB", "8.0 GB", "buy some")


def test_a_machine_that_is_not_ready_is_told_how_to_fix_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(HostNotReadyError) as caught:
        overlook([PORT, MEMORY], force=False)
    assert caught.value.findings == [PORT]
    facts = ("port 80", "free, for the service", "taken", "API_PORT in .env.dev", "--force")
    assert [fact for fact in facts if fact not in str(caught.value)] == []
    assert "memory" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr() == ("", "")


def test_what_force_overlooks_is_told_to_the_caller() -> None:
    told: list[Sequence[Finding]] = []
    overlook([PORT, MEMORY], force=True, warn=told.append)
    overlook([MEMORY], force=True, warn=told.append)
    overlook([MEMORY], force=False, warn=told.append)
    assert told == [[PORT]]


def test_a_profile_that_does_not_exist_is_refused(folder: Path) -> None:
    with pytest.raises(StackError) as caught:
        up(Stack(folder, {}), ["label", "modeling"])
    facts = ("modeling", "label, data_programming, modelling, deploy, dev, gpu")
    assert [fact for fact in facts if fact not in str(caught.value)] == []
