import os
from pathlib import Path

import pytest

from adaptml.stack.compose import HOST_FOLDERS, VOLUMES, Stack, StackError
from adaptml.stack.folders import make_folders, size_bytes
from adaptml.stack.up import how_to_move

NOBODY = {"APP_UID": "12345", "APP_GID": "12345"}
AS_ROOT = os.geteuid() == 0


def stack_of(folder: Path, **variables: str) -> Stack:
    """A stack whose volumes no engine has."""
    return Stack(folder, {"STACK_NAME": "of-a-unit-test", **variables})


def test_folders_are_made_in_data_path_for_the_user_of_the_containers(folder: Path) -> None:
    stack = stack_of(folder, **(NOBODY if AS_ROOT else {}))
    made = make_folders(stack)
    assert {path.relative_to(folder).as_posix() for path in made} == {
        "data",
        *(f"data/{n}" for n in HOST_FOLDERS),
    }
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {stack.owner}
    assert make_folders(stack) == []


def test_a_setting_of_its_own_puts_one_of_them_elsewhere(folder: Path) -> None:
    stack = stack_of(
        folder, DATA_PATH="/big/ada", ANNOTATIONS="./mine", PREDICTIONS="a_volume", CRATE_DATA="/fast"
    )
    assert stack.stores == {
        "unlabeled_data": "/big/ada/unlabeled_data",
        "annotations": f"{folder}/mine",
        "predictions": "a_volume",
        "dp_mlruns": "/big/ada/dp_mlruns",
        "modelling_mlruns": "/big/ada/modelling_mlruns",
        "crate_data": "/fast",
        **{name: name for name in VOLUMES if name != "crate_data"},
    }
    assert set(stack.folders) == set(HOST_FOLDERS) - {"predictions"}
    assert stack.environment()["DATA_PATH"] == "/big/ada"


def test_volumes_of_before_stay_in_use_and_can_be_moved(folder: Path) -> None:
    stack = stack_of(folder, APP_UID="7", APP_GID="8")
    stack.volumes_of_before = ["annotations", "dp_mlruns"]
    assert set(stack.folders) == {"unlabeled_data", "predictions", "modelling_mlruns"}
    assert [stack.environment()[name] for name in ("ANNOTATIONS", "DP_MLRUNS")] == [
        "annotations",
        "dp_mlruns",
    ]
    said = "\n".join(how_to_move(stack, "ours:1"))
    facts = (
        "for name in annotations dp_mlruns;", "of-a-unit-test_$name:/from", f"{folder}/data/$name:/to", "ours:1",
        "chown -R 7:8", "docker volume rm", "adaptml down", "adaptml up",
    )  # fmt: skip
    assert [fact for fact in facts if fact not in said] == []
    assert folder / "data" in make_folders(stack)  # or Docker would make it, as root's
    assert not (folder / "data" / "annotations").exists()


def test_without_volumes_of_before_there_is_nothing_to_move(folder: Path) -> None:
    assert how_to_move(stack_of(folder), "ours:1") == []


def test_a_data_path_that_cannot_be_made_is_one_line(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(StackError) as caught:
        make_folders(stack_of(folder, DATA_PATH="file/data"))
    facts = (f"{folder}/file/data/unlabeled_data", "Not a directory", "DATA_PATH in .env.dev")
    assert [fact for fact in facts if fact not in str(caught.value)] == []


def test_a_folder_that_containers_may_not_write_is_one_line(folder: Path) -> None:
    others = folder / "data" / "annotations"
    others.mkdir(parents=True, mode=0o755)
    with pytest.raises(StackError) as caught:
        make_folders(stack_of(folder, **NOBODY))
    facts = (
        str(folder / "data"),
        "cannot be written by user 12345:12345",
        "sudo chown -R 12345:12345",
        "DATA_PATH",
    )
    assert [fact for fact in facts if fact not in str(caught.value)] == []
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("mode", "usable"), [(0o777, True), (0o1777, True), (0o775, False), (0o772, False)])
def test_what_everybody_may_write_is_writable(folder: Path, mode: int, usable: bool) -> None:
    for name in HOST_FOLDERS:
        (folder / "data" / name).mkdir(parents=True)
        (folder / "data" / name).chmod(mode)
    if usable:
        assert make_folders(stack_of(folder, **NOBODY)) == []
    else:
        with pytest.raises(StackError, match="cannot be written by user"):
            make_folders(stack_of(folder, **NOBODY))


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "in" / "it").mkdir(parents=True)
    (tmp_path / "in" / "a").write_bytes(b"12345")
    (tmp_path / "in" / "it" / "b").write_bytes(b"123")
    assert size_bytes(tmp_path) == 8
    assert size_bytes(tmp_path / "nosuch") == 0
