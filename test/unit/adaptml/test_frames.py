import os
from pathlib import Path

import pandas as pd
import pytest

from adaptml.errors import FileError, FrameError
from adaptml.files import removing, replacing, write_text
from adaptml.frames import check_keys, read_frame, read_metadata, write_frame, write_preview

FRAME = pd.DataFrame({"extra": [[1.5, 2.5], [3.0, 4.0]], "id": ["007", "é 'x'"], "table_name": ["t", "t"]})


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".pkl"])
def test_every_format_gives_the_same_frame(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"frame{suffix}"
    {
        ".parquet": FRAME.to_parquet,
        ".pkl": FRAME.to_pickle,
        ".jsonl": lambda p: FRAME.to_json(p, orient="records", lines=True),
    }[suffix](path)
    frame = read_frame(path, typed_by_user=True)
    assert list(frame.columns) == ["table_name", "id", "extra"]
    assert frame["id"].tolist() == ["007", "é 'x'"]
    assert [list(v) for v in frame["extra"]] == [[1.5, 2.5], [3.0, 4.0]]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_cells_have_the_sign_between_them_that_a_spreadsheet_writes(
    tmp_path: Path, sign: str, ending: str
) -> None:
    path = tmp_path / f"f{ending}"
    path.write_text(f'\ufeffid{sign}table_name{sign}label\n7{sign}t{sign}"a{sign}b;c"\n')
    assert read_frame(path).values.tolist() == [["t", "7", f"a{sign}b;c"]]


def test_ids_in_a_csv_are_text(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("id,table_name,n\n007,t,1\nNA,t,\n")
    frame = read_frame(tmp_path / "f.csv")
    assert frame["id"].tolist() == ["007", "NA"]
    assert frame["n"].isna().tolist() == [False, True]


def test_a_pickle_is_opened_only_from_a_path_that_a_person_typed(tmp_path: Path) -> None:
    FRAME.to_pickle(tmp_path / "f.pkl")
    with pytest.raises(
        FrameError,
        match=r"f\.pkl is a pickle, which can run code; expected \.parquet, \.csv or \.jsonl: convert it$",
    ):
        read_frame(tmp_path / "f.pkl")


def test_a_pickle_that_is_parquet_now_is_named(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "f.parquet")
    with pytest.raises(FrameError, match=r"f\.pkl; f\.parquet is there: frames are no pickles any more$"):
        read_frame(tmp_path / "f.pkl", typed_by_user=True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "f.csv",
            "a,b\n1,2\n",
            r"has no column table_name and no column id; it has a, b: add the missing columns$",
        ),
        ("f.csv", "table_name,id\n", r"has no rows; expected at least one data point$"),
        (
            "f.csv",
            "table_name,id\nt,\nt,2\n",
            r"has 1 rows without a table_name or id; fill them in or drop them$",
        ),
        (
            "f.csv",
            "table_name,id\nt,1\nt,1\nt,1\nu,1\n",
            r"has 1 duplicated data points: t/1; keep one row of each$",
        ),
        ("f.csv", "", r"cannot be read as \.csv: No columns to parse from file; write it again$"),
        ("f.parquet", "PAR", r"cannot be read as \.parquet: .*; write it again$"),
        ("f.pkl", "no pickle", r"cannot be read as \.pkl: .*; write it again$"),
        ("f.xlsx", "x", r"cannot be read as \.xlsx: File is not a zip file; write it again$"),
        ("f.ods", "x", r"ends in '\.ods'; expected \.parquet, \.csv, \.tsv, \.xlsx, \.jsonl or \.pkl$"),
        ("f", "x", r"ends in 'nothing'; expected"),
    ],
)
def test_a_frame_that_cannot_be_used(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(FrameError, match=message) as caught:
        read_frame(tmp_path / name, typed_by_user=True)
    assert "\n" not in str(caught.value)


def test_no_such_file() -> None:
    with pytest.raises(FrameError, match=r"^no file nope\.csv; expected a frame of data points"):
        read_frame("nope.csv")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = write_frame(FRAME, tmp_path / "deep" / "f.parquet")
    before = path.read_bytes()
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_bytes() == before
    with (
        pytest.raises(
            FileError, match=r"f\.parquet cannot be written: No space left on device; free space or name"
        ),
        replacing(path) as temporary,
    ):
        temporary.write_text("half")
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["f.parquet"]


@pytest.mark.parametrize("link", [False, True])
def test_what_is_no_file_is_never_replaced(tmp_path: Path, link: bool) -> None:
    kinds = {"pipe": "a device, pipe or socket", "folder": "a folder"}
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name, kind in kinds.items():
        path = tmp_path / name
        if link:
            path = tmp_path / f"to_{name}"
            path.symlink_to(tmp_path / name)
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(FileError) as caught:
            write_text("x", path)
        assert str(caught.value) == (
            f"{path} is {kind}; expected a file or a name that is free: move it away or name another"
        )
        with pytest.raises(FileError, match=kind), removing(path):
            pytest.fail("the block must not be entered")
        assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_is_removed_when_all_went_well(tmp_path: Path) -> None:
    path = write_text("old", tmp_path / "f.txt")
    with pytest.raises(RuntimeError), removing(path):
        raise RuntimeError
    assert path.read_text() == "old"
    for _ in range(2):  # the second time it is gone already
        with removing(path):
            pass
        assert not path.exists()


def test_a_full_disk(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with (
        pytest.raises(FileError, match="No space left on device"),
        replacing(tmp_path / "f.txt") as temporary,
    ):
        temporary.unlink()
        temporary.symlink_to("/dev/full")
        temporary.write_text("x" * 100_000)
    assert list(tmp_path.glob("*.txt")) == []


def test_a_preview_shows_first_rows_as_text_and_escapes_what_is_in_them(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"id": ["<b>1</b>", "2"], "label": [["a", "b"], []], "label_probs": [[0.25, 1.0], [0.5, 0.5]]}
    )
    page = write_preview(frame, tmp_path / "f_x.html", rows=1).read_text()
    assert "1 of 2 rows" in page
    assert "<td>&lt;b&gt;1&lt;/b&gt;</td>" in page
    assert "<td>a, b</td>" in page
    assert "<td>0.250, 1.000</td>" in page
    assert "<h1>f x</h1>" in page


def test_what_a_frame_says_of_itself_stays_with_it(tmp_path: Path) -> None:
    said = {"task": "pets", "setting": "multiclass", "classes": ["Käfer", "dog"]}
    frame = pd.DataFrame({"table_name": ["t"], "id": ["1"], "label": [["dog"]]})
    path = write_frame(frame, tmp_path / "labels.parquet", said)
    assert read_metadata(path) == said
    copy = read_frame(path)
    assert copy.attrs["adaptml"] == said
    assert read_metadata(write_frame(copy, tmp_path / "copy.parquet")) == said
    assert read_metadata(write_frame(frame, tmp_path / "bare.parquet")) == {}
    assert pd.read_parquet(path)["label"][0].tolist() == ["dog"]  # readers that know nothing of it


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ([3, 12], ["3", "12"]),
        ([3.0, 12.0], ["3", "12"]),
        ([3.5, 12.0], ["3.5", "12.0"]),
        ([2.0**53, 1.0], ["9007199254740992.0", "1.0"]),  # may have been another number before
        (["03", "1.0"], ["03", "1.0"]),
    ],
)
def test_numbers_as_ids_become_text(given: list[object], ids: list[str]) -> None:
    frame = check_keys(pd.DataFrame({"table_name": "t", "id": given}), "the frame")
    assert frame["id"].tolist() == ids
