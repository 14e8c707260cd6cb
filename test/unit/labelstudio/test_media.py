"""Which files annotators are shown: those of one folder, whatever a table says."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.errors import AnnotationError
from adaptml.gold_labels.core import cell_hash
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.schema import Column
from labelstudio.media import with_addresses
from labelstudio.sample_tasks import sample_tasks

SHOWN = Task(
    name="zoo", classes=["cat", "dog"], columns=[Column(name="photo", type="image"), Column(name="txt")]
)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    (folder / "farm").mkdir(parents=True)
    for name in ("a.jpg", "farm/b 1.png", "farm/ü#?.png"):
        (folder / name).write_bytes(b"picture")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "out").symlink_to(tmp_path)
    (folder / "inside.jpg").symlink_to(folder / "a.jpg")
    return folder


def rows(*paths: Any) -> pd.DataFrame:
    n = len(paths)
    keys = {"table_name": ["zoo"] * n, "id": [str(i) for i in range(n)]}
    return pd.DataFrame(keys | {"photo": pd.Series(paths, dtype=object), "txt": ["../secret.jpg"] * n})


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("a.jpg", "a.jpg"),
        ("./farm/../a.jpg", "a.jpg"),
        ("farm/b 1.png", "farm/b%201.png"),
        ("farm/ü#?.png", "farm/%C3%BC%23%3F.png"),
        ("inside.jpg", "a.jpg"),  # a link that stays inside
    ],
)
def test_a_file_of_the_folder(path: str, served: str, media: Path) -> None:
    for given in (path, str(media / path)):
        shown = with_addresses(rows(given), SHOWN, media)
        assert shown["photo"].tolist() == [f"/data/local-files/?d=media/{served}"]
        assert shown["txt"].tolist() == ["../secret.jpg"]  # a text is no path


@pytest.mark.parametrize(
    "value",
    ["https://example.org/a.jpg", "data:image/png;base64,AA==", "s3://bucket/a.jpg", "/data/upload/1/a.jpg", "", None, 3.5],
)  # fmt: skip
def test_addresses_and_empty_cells_stay(value: Any, media: Path) -> None:
    assert with_addresses(rows(value), SHOWN, media)["photo"].tolist() == [value]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../secret.jpg", "lies outside of the folder"),
        ("farm/../../secret.jpg", "lies outside of the folder"),
        ("/etc/passwd", "lies outside of the folder"),
        ("link.jpg", "lies outside of the folder"),
        ("out/secret.jpg", "lies outside of the folder"),
        ("no.jpg", "is not there"),
        ("farm", "is not there"),
        ("a\0.jpg", "is no path (ValueError)"),
        ("x" * 5000, "is no path (OSError)"),
    ],
)
def test_no_other_file_is_named(path: str, reason: str, media: Path) -> None:
    with pytest.raises(AnnotationError) as error:
        with_addresses(rows("a.jpg", path), SHOWN, media)
    assert str(error.value) == (
        f"1 files cannot be shown: zoo/1: {path!r} {reason}; expected paths of files in {media} "
        "(ADAPTML_MEDIA names the folder), or addresses such as https://…"
    )


def test_a_task_file_with_pictures(project: Project, clean_room: Path) -> None:
    folder = project.settings.media
    assert folder == clean_room / "workspace" / "media"
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"picture")
    database = project.database
    database.create_table("zoo", dict.fromkeys(["id", "photo", "txt"], sa.Text()))
    database.upsert("zoo", pd.DataFrame({"id": ["1"], "photo": ["a.jpg"], "txt": ["x"]}), ["id"])
    (task,) = json.loads(sample_tasks(project, SHOWN, "zoo", 1).path.read_text(encoding="utf-8"))
    assert task["data"]["photo"] == "/data/local-files/?d=media/a.jpg"
    assert task["data"]["meta_info"]["seen"] == {"photo": cell_hash("a.jpg")}  # as the table has it
    (folder / "a.jpg").unlink()
    with pytest.raises(AnnotationError, match=r"^1 files cannot be shown: zoo/1: 'a.jpg' is not there"):
        sample_tasks(project, SHOWN, "zoo", 1)
