"""A person's lfs.py: whatever it raises is one line with its place; its folder is where it lives."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from adaptml.errors import LabellingError, Terminated
from adaptml.tasks import Task
from adaptml.user_code import in_folder, user_code
from dataprogramming.applier import apply_to_frame
from dataprogramming.lfs import load_lfs

HEAD = "from snorkel.labeling import LabelingFunction, labeling_function\n"
DATA = pd.DataFrame({"table_name": "t", "id": ["1", "2"], "txt": ["subscribe now", "a song"]})

Make = Callable[..., Task]


@pytest.fixture
def make(clean_room: Path) -> Make:
    def make(lfs: str, name: str = "mails", classes: tuple[str, ...] = ("ham", "spam"), **files: str) -> Task:
        folder = clean_room / "tasks" / name
        folder.mkdir()
        (folder / "lfs.py").write_text(HEAD + lfs)
        for file, content in files.items():
            (folder / file.replace("_py", ".py").replace("_txt", ".txt")).write_text(content)
        return Task(name=name, classes=classes, lf_features=("txt",), folder=folder)

    return make


def votes(task: Task) -> list[list[int]]:
    lfs = load_lfs(task)
    return apply_to_frame(lfs, DATA, task.labels, folder=task.folder).tolist()  # type: ignore[no-any-return]


RAISING = [
    ("import re\nre.compile('(')", 3, "PatternError|error: missing"),
    ("import yaml\nyaml.safe_load('a: [')", 3, "ParserError"),
    ("class Mine(Exception): pass\nraise Mine('my own')", 3, "Mine: my own"),
    ("import sys\nsys.exit(0)", 3, "SystemExit: 0"),
    ("def get_lfs(params):\n    raise SystemExit", 3, "SystemExit"),
    ("open('nowhere.txt')", 2, "FileNotFoundError: .*relative paths start in the task's folder"),
]


@pytest.mark.parametrize(("source", "line", "said"), RAISING)
def test_whatever_loading_raises_is_one_line_with_its_place(
    make: Make, source: str, line: int, said: str
) -> None:
    with pytest.raises(LabellingError, match=said) as raised:
        load_lfs(make(source))
    assert f"lfs.py, line {line}: " in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("statement", ["import sys; sys.exit(0)", "import re; re.compile('(')"])
def test_whatever_a_labelling_function_raises_is_one_line_with_its_place(make: Make, statement: str) -> None:
    task = make(f"@labeling_function()\ndef bad(x):\n    {statement}\ndef get_lfs(params):\n    return [bad]")
    with pytest.raises(
        LabellingError, match=r"'bad' failed on data point t/1, at .*lfs.py, line 4: "
    ) as raised:
        votes(task)
    assert "\n" not in str(raised.value)


def test_the_line_of_a_module_beside_lfs_is_named(make: Make) -> None:
    task = make(
        "import helpers\ndef get_lfs(params):\n    return helpers.rules()",
        helpers_py="def rules():\n    1 / 0",
    )
    with pytest.raises(LabellingError, match=r"helpers.py, line 2: ZeroDivisionError: division by zero; "):
        load_lfs(task)


def test_ctrl_c_and_the_end_of_the_process_go_through() -> None:
    for end in (KeyboardInterrupt(), Terminated(143)):
        with pytest.raises(type(end)), user_code(lambda error: LabellingError(str(error))):
            raise end


SIBLING = """
from helpers import WORDS
def get_lfs(params):
    return [LabelingFunction(w, lambda x, w=w: "spam" if w in x.txt else None) for w in WORDS]
"""


def test_modules_beside_lfs_are_found_and_two_tasks_do_not_mix(make: Make) -> None:
    first = make(SIBLING, "first", helpers_py="WORDS = ['subscribe']")
    second = make(SIBLING, "second", helpers_py="WORDS = ['song']")
    before = list(sys.path)
    assert votes(first) == [[1], [-1]]
    assert votes(second) == [[-1], [1]]
    assert votes(first) == [[1], [-1]]
    assert sys.path == before
    assert "helpers" not in sys.modules


LATE = """
def get_lfs(params):
    @labeling_function()
    def late(x):
        from pathlib import Path
        from helpers import WORDS
        return "spam" if any(w in x.txt for w in WORDS + Path("words.txt").read_text().split()) else None
    return [late]
"""


def test_a_rule_that_imports_and_opens_files_when_it_is_called(make: Make) -> None:
    task = make(LATE, helpers_py="WORDS = ['subscribe']", words_txt="song")
    assert votes(task) == [[1], [1]]


def test_relative_paths_start_in_the_tasks_folder(make: Make, clean_room: Path) -> None:
    task = make(
        "with open('words.txt') as file:\n    WORDS = file.read().split()\n"
        "def get_lfs(params):\n"
        "    return [LabelingFunction(w, lambda x, w=w: 'spam' if w in x.txt else None) for w in WORDS]",
        words_txt="subscribe song",
    )
    assert votes(task) == [[1, -1], [-1, 1]]
    assert Path.cwd() == clean_room


def test_another_thread_leaves_the_working_folder_alone_and_says_so(make: Make, clean_room: Path) -> None:
    seen = make("import os\nfrom pathlib import Path\nraise ValueError(f'here is {os.getcwd()}')")
    missing = make("open('words.txt')", "missing", words_txt="subscribe")
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(LabellingError, match=f"here is {clean_room};"):
            pool.submit(load_lfs, seen).result()
        with pytest.raises(LabellingError, match=r"words.*not the main thread"):
            pool.submit(load_lfs, missing).result()


def test_an_edited_module_is_loaded_anew(make: Make) -> None:
    task = make(SIBLING, helpers_py="WORDS = ['subscribe']")
    load_lfs(task)
    assert task.folder is not None
    (task.folder / "helpers.py").write_text("WORDS = ['now', 'song']")
    assert [lf.name for lf in load_lfs(task)] == ["now", "song"]


def test_a_module_of_that_name_from_elsewhere_is_hidden_and_comes_back(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_room / "tasks" / "a").mkdir()
    (clean_room / "tasks" / "a" / "helpers.py").write_text("WHOSE = 'mine'")
    elsewhere = type(sys)("helpers")
    monkeypatch.setitem(sys.modules, "helpers", elsewhere)
    with in_folder(clean_room / "tasks" / "a", fresh=True):
        import helpers  # type: ignore[import-not-found]

        assert helpers.WHOSE == "mine"
    assert sys.modules["helpers"] is elsewhere


PANDAS = """
def get_lfs(params):
    @labeling_function()
    def by_get(x):
        return "spam" if "subscribe" in (x.get("txt") or "") and x.get("likes", 3) == 3 else None
    @labeling_function()
    def by_item(x):
        return "ham" if "txt" in x and "likes" not in x and "song" in x["txt"] else None
    return [by_get, by_item]
"""


def test_rows_behave_like_rows_of_pandas(make: Make) -> None:
    assert votes(make(PANDAS)) == [[1, -1], [-1, 0]]


@pytest.mark.parametrize("rule", ["x.likes > 50", "x['likes'] > 50"])
def test_a_column_that_is_not_there(make: Make, rule: str) -> None:
    task = make(
        f"def get_lfs(params):\n    return [LabelingFunction('a', lambda x: 'spam' if {rule} else None)]"
    )
    with pytest.raises(LabellingError, match=r"no column 'likes' among txt: name it under lf_features"):
        votes(task)


@pytest.mark.parametrize("taken", ["seed", "lr", "data", "n_epochs", "workers", "gold"])
def test_parameters_that_label_uses_itself_are_refused(make: Make, taken: str) -> None:
    task = make(
        "from dataprogramming.lfs import LFParams\n"
        f"class Params(LFParams):\n    {taken}: str = '7'\n    many: int = 3\n"
        "def get_lfs(params: Params):\n    return []"
    )
    with pytest.raises(LabellingError, match=f"Params declares {taken}, which `adaptml label` uses itself"):
        load_lfs(task)


STRANGE = ("mro", "_other_", "__other__", "check out", "count", "name", "__class__")


def test_every_class_name_can_be_voted_for(make: Make) -> None:
    rules = f"""
def get_lfs(params):
    by_item = [LabelingFunction(f"item {{c}}", lambda x, c=c: params.labels[c]) for c in {STRANGE!r}]
    by_name = [LabelingFunction(f"name {{c}}", lambda x, c=c: c) for c in {STRANGE!r}]
    return [*by_item, *by_name, LabelingFunction("attribute", lambda x: params.labels.mro)]
"""
    numbers = list(range(len(STRANGE)))
    assert votes(make(rules, classes=STRANGE)) == [[*numbers, *numbers, 0]] * 2


def test_what_threads_of_a_rule_fail_with_is_said_once(
    make: Make, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Not once a row with all of Python's traceback; other threads' failures are nobody's business here."""
    rule = """
import threading
@labeling_function()
def rule(x):
    thread = threading.Thread(target=lambda: 1 // 0)
    thread.start()
    thread.join()
def get_lfs(params):
    return [rule]
"""
    hook, task = threading.excepthook, make(rule)
    assert votes(task) == [[-1], [-1]]
    assert [record.getMessage() for record in caplog.records] == [
        f"a thread failed at {task.folder}/lfs.py, line 6: ZeroDivisionError: integer division or modulo by zero; "
        "what started it was not told"
    ]
    assert "Traceback" not in capfd.readouterr().err
    assert threading.excepthook is hook
