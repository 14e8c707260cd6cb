"""Loading a task's labelling functions and their parameters."""

from pathlib import Path

import pytest

from adaptml.errors import LabellingError
from adaptml.tasks import Task
from dataprogramming.lfs import declared_parameters, keyword_lf, load_lfs

HEAD = """
from snorkel.labeling import LabelingFunction, labeling_function
from dataprogramming.lfs import LFParams, keyword_lf
class Params(LFParams):
    max_words: int = 5
    words: list[str] = ["a"]
    name: str = "x"
"""
GOOD = (
    HEAD
    + """
def get_lfs(params: Params) -> list[LabelingFunction]:
    @labeling_function()
    def short(x):
        return params.labels.ham if len(x.tokens) <= params.max_words else None
    return [keyword_lf("sub", params.words, params.labels.spam, "tokens"), short]
"""
)


def make_task(folder: Path, lfs: str | None) -> Task:
    folder.mkdir(exist_ok=True)
    if lfs is not None:
        (folder / "lfs.py").write_text(lfs)
    return Task(
        name=folder.name,
        classes=("ham", "spam"),
        lf_features=("tokens",),
        folder=folder,
    )


def test_loads_lfs_with_parameters_from_text(tmp_path: Path) -> None:
    task = make_task(tmp_path / "mails", GOOD)
    sub, short = load_lfs(task, {"max-words": "2", "words": '["b", "c"]', "name": "5"})
    assert (sub.name, short.name) == ("sub", "short")
    assert sub.keywords == {"b", "c"}


def test_names_what_is_declared(tmp_path: Path) -> None:
    task = make_task(tmp_path / "mails", GOOD)
    assert declared_parameters(task) == {
        "max_words": "int = 5",
        "words": "list[str] = ['a']",
        "name": "str = 'x'",
    }


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"min_words": "5"},
            "the labelling functions of the task 'mails' have no parameter min_words; "
            "they declare: max_words (int = 5), words (list[str] = ['a']), name (str = 'x')",
        ),
        (
            {"max_words": "many"},
            "the labelling functions of the task 'mails' got a wrong parameter, max_words=many: Invalid "
            "JSON: expected value at line 1 column 1; "
            "they declare: max_words (int = 5), words (list[str] = ['a']), name (str = 'x')",
        ),
    ],
)
def test_wrong_parameters(tmp_path: Path, parameters: dict[str, str], message: str) -> None:
    with pytest.raises(LabellingError) as raised:
        load_lfs(make_task(tmp_path / "mails", GOOD), parameters)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("lfs", "message"),
    [
        (
            None,
            "the task 'mails' has no labelling functions: expected the file PATH; "
            "write it with a function get_lfs(params)",
        ),
        (
            "x = 1",
            "PATH has no function get_lfs(params); define one that returns a list of labelling functions",
        ),
        (
            "import nowhere_at_all",
            "PATH, line 1: ModuleNotFoundError: No module named 'nowhere_at_all'; fix it",
        ),
        ("x = 1\nif", "PATH, line 2: SyntaxError: invalid syntax (lfs.py, line 2); fix it"),
        (
            "def get_lfs(params):\n    return [params.labels['spma']]",
            "PATH, line 2: KeyError: \"no class 'spma'; the classes are ham, spam\"; the classes are ham, spam",
        ),
        (
            "def get_lfs(params: int): ...",
            "PATH: get_lfs declares its argument 'params' as <class 'int'>; expected LFParams or a "
            "subclass of it",
        ),
        (
            "def get_lfs(params): return []",
            "PATH: get_lfs returned []; expected a list of at least one labelling function",
        ),
        (
            "def get_lfs(params): return [len]",
            "PATH: item 0 that get_lfs returned is <built-in function len>, which is no labelling function; "
            "decorate it with @labeling_function() or make it with keyword_lf",
        ),
        (
            HEAD + "def get_lfs(params): return [keyword_lf('a', ['x'], 0, 'tokens')] * 2",
            "PATH: more than one labelling function is named a; give each its own name",
        ),
    ],
)
def test_wrong_files(tmp_path: Path, lfs: str | None, message: str) -> None:
    task = make_task(tmp_path / "mails", lfs)
    with pytest.raises(LabellingError) as raised:
        load_lfs(task)
    assert str(raised.value) == message.replace("PATH", str(tmp_path / "mails" / "lfs.py"))


def test_keyword_lf_wants_a_list_of_words() -> None:
    with pytest.raises(
        LabellingError, match=r"got the text 'cat' as keywords; give a list of words, .*\['cat'\]"
    ):
        keyword_lf("cat", "cat", 0, "tokens")
    with pytest.raises(LabellingError, match="'cat' has no keyword; give it at least one word"):
        keyword_lf("cat", [], 0, "tokens")
