"""Data of an older CrateDB: seen before a newer one starts and converts them."""

import pytest

from adaptml.stack.crate_data import finding


@pytest.mark.parametrize("looked_at", ["", "6.4.3", "6.4.0"])
def test_no_data_and_data_of_the_same_version_are_fine(looked_at: str) -> None:
    assert finding("crate:6.4.3", looked_at).ok


@pytest.mark.parametrize(
    ("looked_at", "found"),
    [
        ("data", "written by one of 5.10 or before"),
        ("6.3.1", "written by 6.3.1"),
        ("5.10.3", "written by 5.10.3"),
    ],
)
def test_older_data_are_to_be_saved_first(looked_at: str, found: str) -> None:
    said = finding("crate:6.4.3", looked_at)
    assert finding(f"crate:6.4.3@sha256:{'0' * 64}", looked_at) == said
    assert (said.ok, said.expected, said.found) == (False, "none, or written by CrateDB 6.4", found)
    assert "`adaptml backup FOLDER`" in said.fix
    assert "crate:6.4.3 converts them as it starts" in said.fix
    assert "--force" in said.fix


def test_an_older_image_does_not_read_newer_data() -> None:
    said = finding("crate:5.10.3", "6.4.3")
    assert not said.ok
    assert said.fix == "no older one reads them: set CRATE_IMAGE=crate:6.4.3 in .env.dev"


def test_an_image_without_a_version_is_taken_as_it_is() -> None:
    assert finding("crate:latest", "data").ok
    assert finding("registry.example.org:5000/crate", "6.4.3").ok
