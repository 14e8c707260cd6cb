"""Where the demo writes."""

from pathlib import Path

import pytest

from example_data.demo import ROOT, home_of_settings


def test_the_home_folder_is_the_one_that_the_settings_name(
    monkeypatch: pytest.MonkeyPatch, clean_room: Path
) -> None:
    monkeypatch.setenv("ADAPTML_HOME", str(clean_room / "elsewhere"))
    assert home_of_settings() == clean_room / "elsewhere"
    monkeypatch.setenv("ADAPTML_HOME", "elsewhere")
    assert home_of_settings() == ROOT / "elsewhere"
