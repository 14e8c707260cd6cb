"""Every format that is read: the same rows from each, and one line for a damaged file of each."""

import gzip
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from adaptml.errors import AdaptmlError, FrameError, SettingsError
from adaptml.importing import json_files
from adaptml.importing.files import How, open_source
from adaptml.project import Project

ROWS = [
    {"id": 7, "txt": "gut, ja", "share": 0.5, "seen": True},
    {"id": 12, "txt": "3", "share": None, "seen": False},
]
FRAME = pd.DataFrame(ROWS)


def rows_of(path: Path | str, **how: str) -> list[dict[str, Any]]:
    """The rows of a file, by its columns."""
    rows: list[dict[str, Any]] = []
    for chunk in open_source(Path(path), How(**how)).chunks():
        values = zip(*chunk.columns.values(), strict=True)
        rows += [dict(zip(chunk.columns, row, strict=True)) for row in values]
    return rows


def write_excel(path: Path, rows: list[list[Any]] | None = None, title: str = "posts") -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows or [list(FRAME), *(list(row.values()) for row in ROWS)]:
        sheet.append(row)
    book.create_sheet("notes").append(["about"])
    book.save(path)


def write_stream(path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "posts.json": lambda path: path.write_text(json.dumps(ROWS, indent=2)),
    "posts.jsonl": lambda path: path.write_text("\n\n".join(map(json.dumps, ROWS))),
    "lines.json": lambda path: path.write_text("\n".join(map(json.dumps, ROWS)) + "\n"),
    "posts.ndjson": lambda path: path.write_bytes("\n".join(map(json.dumps, ROWS)).encode("utf-16")),
    "posts.jsonl.gz": lambda path: path.write_bytes(gzip.compress("\n".join(map(json.dumps, ROWS)).encode())),
    "posts.parquet": FRAME.to_parquet,
    "indexed.parquet": FRAME.set_axis(["x", "y"]).to_parquet,
    "posts.feather": FRAME.to_feather,
    "posts.arrow": write_stream,
    "posts.xlsx": write_excel,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_rows_and_the_same_table(name: str, project: Project) -> None:
    WRITERS[name](Path(name))
    assert rows_of(name) == ROWS
    done = project.import_table(name, "posts")
    assert [(column.name, column.kind, column.missing) for column in done.columns] == [
        ("txt", "text", 0), ("share", "number", 1), ("seen", "boolean", 0),
    ]  # fmt: skip
    found = pd.concat(project.database.scan("posts", ["txt", "share", "seen"])).set_index("id")
    assert found["txt"].to_dict() == {"7": "gut, ja", "12": "3"}
    assert found["seen"].to_dict() == {"7": 1, "12": 0}


@pytest.mark.parametrize("name", ["posts.csv.gz", "posts.tsv.gz", *WRITERS])
def test_a_damaged_file_is_one_line_with_its_name(name: str, project: Project) -> None:
    path = Path(name)
    if name in WRITERS:
        WRITERS[name](path)
    else:
        path.write_bytes(gzip.compress(b"id,txt\n" + np.random.default_rng(0).bytes(5000)))
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) * 2 // 3], b"\x93\x00rubbish" * 20):
        path.write_bytes(content)
        with pytest.raises(AdaptmlError) as refused:
            project.import_table(path, "posts")
        assert name in str(refused.value)
        assert "\n" not in str(refused.value)
    assert project.database.tables() == []


@pytest.mark.parametrize("name", ["posts.csv", "posts.npy", "posts.npz", *WRITERS])
def test_whatever_bytes_change_it_is_read_or_refused_in_one_line(name: str, project: Project) -> None:
    path, table = Path(name), []
    if name in WRITERS:
        WRITERS[name](path)
    elif name.endswith(".csv"):
        FRAME.to_csv(path, index=False)
    else:
        (np.save if name.endswith(".npy") else np.savez)(path, np.ones((2, 3)))  # type: ignore[operator]
        table = [Path("table.csv")]
        table[0].write_text("id\na\nb\n")
    whole, rng = path.read_bytes(), random.Random(name)
    said = []
    for turn in range(12):
        changed = bytearray(whole)
        for _ in range(rng.choice((1, 2, 10))):
            place = rng.randrange(len(changed))
            changed[place : place + rng.choice((0, 1, 20))] = rng.randbytes(rng.choice((0, 1, 3)))
        path.write_bytes(changed)
        try:
            project.import_table([*table, path], f"posts_{turn}")
        except AdaptmlError as error:
            said.append(str(error))
    assert said
    assert [line for line in said if "\n" in line] == []


class TestJson:
    def test_what_is_inside_becomes_columns(self, project: Project) -> None:
        rows = [
            {"id_str": "1", "user": {"name": "Ann", "at": {"x": 1}}, "tags": ["a", "b"], "vec": [1, 2.5]},
            {
                "id_str": "2",
                "user": {"name": None},
                "tags": [],
                "vec": [0, -1],
                "late": {},
                "urls": [{"u": 1}],
            },
        ]
        Path("posts.json").write_text(json.dumps(rows))
        done = project.import_table("posts.json", "posts", id="id_str")
        assert [(column.name, column.kind, column.missing) for column in done.columns] == [
            ("user_name", "text", 1), ("user_at_x", "integer", 1), ("tags", "list", 0), ("vec", "vector", 0),
            ("late", "text", 2), ("urls", "list", 1),
        ]  # fmt: skip

    def test_a_key_that_begins_late_was_missing_before(self, project: Project) -> None:
        lines = [{"id": i, "n": 1} for i in range(6000)] + [{"id": 6000, "late": "x"}]
        Path("posts.jsonl").write_text("\n".join(map(json.dumps, lines)))
        done = project.import_table("posts.jsonl", "posts")
        assert [(column.name, column.missing) for column in done.columns] == [("n", 1), ("late", 6000)]

    def test_a_key_that_ends_early_is_missing_after(self, project: Project) -> None:
        lines = [{"id": 6000, "early": "x"}] + [{"id": i, "n": 1} for i in range(6000)]
        Path("posts.jsonl").write_text("\n".join(map(json.dumps, lines)))
        done = project.import_table("posts.jsonl", "posts")
        assert [(column.name, column.missing) for column in done.columns] == [("early", 6000), ("n", 1)]

    @pytest.mark.parametrize(
        ("text", "facts"),
        [
            ('[{"id": 1}, {"id": ]', ["line 1", "Expecting value"]),
            ('{"id": 1}\n{"id": 2}\n{"id": 3\n', ["line 3", '{"id": 3']),
            ('[{"id": 1},\n{"id": 2}', ["line 2", "not closed"]),
            ('[{"id": 1}, 5]', ["row 2 is int", "object for each row"]),
            ('{"data": [{"id": 1}]}', ["one object around its rows (data)"]),
            ('{"id": {"0": 1}, "txt": {"0": "a"}}', ["one object of objects (id, txt)", "records"]),
            ("[" * 100_000, ["nested too deeply"]),
            ('[{"id": ' + "1" * 5000 + "}]", ["line 1", "digit"]),
        ],
    )
    def test_what_is_no_table_is_refused_with_its_place(self, text: str, facts: list[str]) -> None:
        Path("posts.json").write_text(text)
        with pytest.raises(FrameError) as refused:
            rows_of("posts.json")
        assert "posts.json" in str(refused.value)
        assert [fact for fact in facts if fact not in str(refused.value)] == []

    def test_half_a_surrogate_pair(self, project: Project) -> None:
        Path("posts.json").write_text('[{"id": "a", "txt": "\\ud800x"}]')
        assert project.import_table("posts.json", "posts").replaced == 1
        Path("posts.json").write_text('[{"id": "\\ud800", "txt": "x"}]')
        with pytest.raises(FrameError, match=r"the id '\\ud800' in column id, row 1, .* databases refuse"):
            project.import_table("posts.json", "more")

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        rows=st.lists(
            st.fixed_dictionaries({"a": st.text(max_size=30), "b": st.integers() | st.none()}), min_size=2, max_size=9
        ),
        size=st.integers(1, 40),
        indent=st.sampled_from([None, 2]),
        in_array=st.booleans(),
    )  # fmt: skip
    def test_any_rows_come_back_however_little_is_read_at_once(
        self, rows: list[dict[str, Any]], size: int, indent: int | None, in_array: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:  # fmt: skip
        text = (
            json.dumps(rows, indent=indent)
            if in_array
            else "\n".join(json.dumps(row, indent=indent) for row in rows)
        )
        Path("posts.json").write_text(text)
        monkeypatch.setattr(json_files, "_READ_CHARS", size)
        assert rows_of("posts.json") == rows


class TestParquet:
    def test_lists_structs_and_other_types(self, project: Project) -> None:
        table = pa.table(
            {
                "id": pa.array([2**60, 5]),
                "vec": pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32(), 2)),
                "words": pa.array([["a"], None]),
                "kind": pa.array(["x", "x"]).dictionary_encode(),
                "user": pa.array([{"name": "Ann"}, None]),
                "day": pa.array([0, 1], pa.date32()),
                "raw": pa.array([b"text", None], pa.binary()),
            }
        )
        pa.parquet.write_table(table, "posts.parquet")
        done = project.import_table("posts.parquet", "posts")
        assert {column.name: (column.kind, column.missing) for column in done.columns} == {
            "vec": ("vector", 0), "words": ("list", 1), "kind": ("text", 0), "user_name": ("text", 1),
            "day": ("text", 0), "raw": ("text", 1),
        }  # fmt: skip
        (found,) = project.database.scan("posts", ["vec", "day"])
        assert found.loc[found["id"] == "5", "vec"].item().tolist() == [3.0, 4.0]
        assert (
            found["day"].tolist() == ["1970-01-01", "1970-01-02"] or found["day"].tolist()[0] == "1970-01-01"
        )

    def test_bytes_that_are_no_text_are_refused_by_name(self, project: Project) -> None:
        pa.parquet.write_table(pa.table({"id": ["a"], "raw": [b"\xff\xfe"]}), "posts.parquet")
        with pytest.raises(FrameError, match="'raw' holds bytes that are no text"):
            project.import_table("posts.parquet", "posts")


class TestExcel:
    def test_a_sheet_is_chosen_and_others_are_named(self) -> None:
        write_excel(Path("posts.xlsx"))
        assert open_source(Path("posts.xlsx"), How()).said == "Excel, sheet posts (others: notes)"
        assert rows_of("posts.xlsx", sheet="notes") == []
        with pytest.raises(FrameError, match="no sheet 'post'; its sheets are posts, notes"):
            rows_of("posts.xlsx", sheet="post")

    def test_empty_rows_are_none_and_long_ones_are_refused(self) -> None:
        write_excel(Path("posts.xlsx"), [["id", "txt", None], [1, "a"], [None, None], [2]])
        assert rows_of("posts.xlsx") == [{"id": 1, "txt": "a"}, {"id": 2, "txt": None}]
        write_excel(Path("posts.xlsx"), [["id", "txt"], [1, "a"], [2, "b", "c"]])
        with pytest.raises(FrameError, match="row 3 of sheet 'posts' has a value beside the 2 columns"):
            rows_of("posts.xlsx")

    def test_ids_that_excel_rounded_are_refused(self, project: Project) -> None:
        write_excel(Path("posts.xlsx"), [["id"], [5.70306133677760513e17], [5.70306133677760514e17]])
        with pytest.raises(FrameError, match="2 rows have an id in column id that a spreadsheet rounded"):
            project.import_table("posts.xlsx", "posts")

    def test_without_openpyxl_the_extra_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write_excel(Path("posts.xlsx"))
        monkeypatch.setitem(sys.modules, "openpyxl", None)
        with pytest.raises(SettingsError, match=r"pip install -e '\.\[excel\]'"):
            rows_of("posts.xlsx")


class TestArrays:
    def table(self) -> str:
        Path("posts.csv").write_text("id,txt\nb,one\na,two\nb,three\n")
        return "posts.csv"

    def test_a_row_for_each_row_by_place(self, project: Project) -> None:
        np.save("emb.npy", np.arange(6, dtype=np.float64).reshape(3, 2))
        np.savez("more.npz", score=np.array([0.5, np.nan, 2]), half=np.ones((3, 4), dtype=np.float16))
        done = project.import_table(
            [self.table(), "emb.npy", "more.npz"], "posts", on_duplicate="keep-first"
        )  # fmt: skip
        assert {column.name: (column.kind, column.missing) for column in done.columns} == {
            "txt": ("text", 0), "emb": ("vector", 0), "score": ("number", 1), "half": ("vector", 0),
        }  # fmt: skip
        (found,) = project.database.scan("posts", ["emb", "score"])
        assert {i: e.tolist() for i, e in zip(found["id"], found["emb"], strict=True)} == {
            "b": [0.0, 1.0], "a": [2.0, 3.0],
        }  # fmt: skip

    def test_go_on_through_several_files(self, project: Project) -> None:
        np.save("emb.npy", np.arange(4).reshape(4, 1))
        for name in ("1.csv", "2.csv"):
            Path(name).write_text(f"id\n{name}a\n{name}b\n")
        project.import_table(["1.csv", "2.csv", "emb.npy"], "posts")
        (found,) = project.database.scan("posts", ["emb"])
        assert found.sort_values("id")["emb"].str[0].tolist() == [0.0, 1.0, 2.0, 3.0]

    @pytest.mark.parametrize(
        ("array", "fact"),
        [
            (np.ones((2, 2)), "array emb has 2 rows and the table has 3"),
            (np.ones((4, 2)), "array emb has 4 rows and the table has 3"),
            (np.ones((3, 2, 2)), r"emb has the shape \(3, 2, 2\)"),
            (np.array([{}, {}, {}], dtype=object), "emb.npy cannot be read"),
            (np.array([[1, np.nan]] * 3), "infinite or NaN, in row 1"),
        ],
    )
    def test_that_do_not_fit_are_refused(self, array: Any, fact: str, project: Project) -> None:
        np.save("emb.npy", array, allow_pickle=True)
        with pytest.raises(FrameError, match=fact):
            project.import_table([self.table(), "emb.npy"], "posts")
        assert project.database.tables() == []

    def test_alone_or_damaged_or_named_as_a_column_are_refused(self, project: Project) -> None:
        np.save("txt.npy", np.ones((3, 2)))
        np.savez("more.npz", a=np.ones(3))
        Path("cut.npz").write_bytes(Path("more.npz").read_bytes()[:-30])
        for files, fact in [
            (["txt.npy"], "txt.npy alone names no rows"),
            ([self.table(), "txt.npy"], "there is a column 'txt' already"),
            ([self.table(), "none.npy"], "no file .*none.npy"),
            ([self.table(), "cut.npz"], "cut.npz cannot be read"),
        ]:
            with pytest.raises(FrameError, match=fact):
                project.import_table(files, "posts")


def test_a_folder_of_pictures(project: Project) -> None:
    for name in ("b/one.JPG", "a.png", "b/talk.mp3", "clip.mp4", "notes.txt", ".hidden/x.png", ".x.png"):
        path = Path("media") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    source = open_source(Path("media"), How())
    assert source.said == "a folder of 1 audio, 2 image, 1 video files; 1 others left out"
    outside = open_source(Path("media"), How(media=Path("others"))).said
    assert outside.endswith(
        f"; annotators and encoders see them with ADAPTML_MEDIA={Path('media').resolve()}"
    )
    assert rows_of("media/b")[0] == {"id": "b/one.JPG", "path": "b/one.JPG", "kind": "image"}
    assert rows_of("media") == [
        {"id": "a.png", "path": "a.png", "kind": "image"},
        {"id": "b/one.JPG", "path": "b/one.JPG", "kind": "image"},
        {"id": "b/talk.mp3", "path": "b/talk.mp3", "kind": "audio"},
        {"id": "clip.mp4", "path": "clip.mp4", "kind": "video"},
    ]
    assert project.import_table("media", "clips").new == 4
    with pytest.raises(FrameError, match="holds no pictures, sounds or clips, and 0 other files"):
        open_source(Path("tasks"), How())


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("posts.xls", "ends in '.xls'; expected .csv"),
        ("posts", "ends in 'nothing'"),
        (
            "posts.parquet.gz",
            "ends in '.parquet'; expected .csv, .tsv, .tab, .txt, .json, .jsonl, .ndjson before .gz",
        ),
        ("posts.pkl", "ends in '.pkl'"),
    ],
)
def test_other_files_are_refused(name: str, fact: str) -> None:
    Path(name).touch()
    with pytest.raises(FrameError, match=fact):
        open_source(Path(name), How())


def test_frames_with_a_name_twice_are_refused(project: Project) -> None:
    with pytest.raises(FrameError, match="the frame has two columns 'a'"):
        project.import_table(pd.DataFrame([[1, 2]], columns=["a", "a"]), "posts")
