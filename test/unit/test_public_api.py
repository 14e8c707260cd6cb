"""`import adaptml`: it is light, it names what it has, and what it names is documented with examples that run."""

import ast
import doctest
import inspect
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import adaptml
from adaptml.project import Project, Step

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = [name for name in adaptml.__all__ if name != "__version__"]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# What `import adaptml` may load beside what Python itself has loaded: small parts of the standard library.
MAY_LOAD = {
    "adaptml", "abc", "genericpath", "os", "posixpath", "stat", "collections", "contextlib", "copyreg", "enum", "functools", "importlib", "itertools", "keyword",
    "operator", "re", "reprlib", "types", "typing", "warnings",
}  # fmt: skip
ARRAY = re.compile(r"ndarray|NDArray|Floats|Indicator|LabelMatrix|Matrix")
SHAPE = re.compile(r"\((?:[a-z]|\d+)(?:, ?(?:[a-z]|\d+))*,?\)")


def documented(name: str) -> Any:
    return getattr(adaptml, name)


def text_of(thing: Any) -> str:
    """Its own docstring, and for a class that of what makes it."""
    own = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
    texts = [own, maker(thing).__doc__ if maker(thing) else None]
    return "\n\n".join(inspect.cleandoc(text) for text in texts if text)


def maker(thing: Any) -> Any:
    """The `__init__` that a class itself writes down."""
    written = inspect.isclass(thing) and not is_dataclass(thing) and not issubclass(thing, Exception)
    return vars(thing).get("__init__") if written else None


def methods(thing: Any) -> dict[str, Any]:
    """Public functions and properties that a class of ours defines."""
    defined = {} if not inspect.isclass(thing) else vars(thing)
    return {
        name: value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        for name, value in defined.items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, property | classmethod | staticmethod))
    }


def test_importing_it_loads_nothing_but_small_parts_of_python() -> None:
    code = "import json, sys; before = {*sys.modules}; import adaptml; print(json.dumps([*{*sys.modules} - before]))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); {code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = {name.split(".")[0].removeprefix("_") for name in json.loads(done.stdout)}
    assert loaded - MAY_LOAD - {"sre"} == set()


def test_its_names_are_listed_and_found() -> None:
    assert dir(adaptml) == sorted(adaptml.__all__)
    assert len(adaptml.__all__) == len(set(adaptml.__all__))
    assert adaptml.__version__ == version("adaptml")
    with pytest.raises(AttributeError, match="lable"):
        adaptml.lable  # noqa: B018


def test_no_name_is_a_module_s_too() -> None:
    """Importing `adaptml.x` sets `adaptml.x`: a function of that name would be lost."""
    modules = {module.name for module in pkgutil.iter_modules(adaptml.__path__)}
    assert set(adaptml.__all__) & modules == set()


def test_a_type_checker_sees_the_same_names_in_the_same_places() -> None:
    tree = ast.parse((REPOSITORY / "adaptml" / "__init__.py").read_text(encoding="utf-8"))
    seen = {
        alias.asname: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    assert seen == adaptml._WHERE


def test_a_type_checker_sees_the_same_steps_of_a_project() -> None:
    tree = ast.parse((REPOSITORY / "adaptml" / "project.py").read_text(encoding="utf-8"))
    typed = {
        target.id: ast.unparse(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("adaptml.")
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    steps = {name for name, value in vars(Project).items() if isinstance(value, Step)}
    assert typed == {name: f"adaptml.{name}" for name in steps}


def test_type_checkers_find_the_marker_in_every_room() -> None:
    rooms = ("adaptml", "labelstudio", "dataprogramming", "modelling", "portal")
    assert [room for room in rooms if not (REPOSITORY / room / "py.typed").is_file()] == []


def problems(name: str, thing: Any) -> Iterator[str]:
    """What a reader would miss in the documentation of a public name."""
    text = text_of(thing)
    if not text.strip():
        yield f"{name} has no docstring"
    elif not doctest.DocTestParser().get_examples(text):
        yield f"{name} has no example"
    elif "+SKIP" in text:
        yield f"{name} has an example that is not run"
    raising = (
        thing.fit.__doc__ or "" if hasattr(thing, "fit") else text
    )  # an estimator checks when it is fitted
    if (inspect.isfunction(thing) or maker(thing)) and "Raises:" not in raising:
        yield f"{name} does not say what it raises"
    for parameter, kind in annotations(thing).items():
        if ARRAY.search(kind) and not SHAPE.search(described(text, parameter)):
            yield f"{name} does not say the shape of {parameter}"
    for method in methods(thing):
        if not inspect.getdoc(getattr(thing, method)):
            yield f"{name}.{method} has no docstring"


def annotations(thing: Any) -> dict[str, str]:
    return {name: str(kind) for name, kind in inspect.get_annotations(thing).items() if name != "return"}


def described(text: str, parameter: str) -> str:
    """What the docstring says of a parameter or an attribute."""
    found = re.search(rf"^\s*{parameter}: (.*?)(?=^\s+\w+: |^\s*$|\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_documented(name: str) -> None:
    assert list(problems(name, documented(name))) == []


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with adaptml.example_project(tmp_path_factory.mktemp("public") / "example") as made:
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_run(name: str, shared: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """In the order of a notebook's reader: `adaptml`, `project`, `np` and `pd` are there."""
    thing = documented(name)
    module = vars(sys.modules[thing.__module__])
    known = {**module, "adaptml": adaptml, "project": shared, "np": np, "pd": pd}
    texts = {name: text_of(thing)} | {
        f"{name}.{method}": function.__doc__ or "" for method, function in methods(thing).items()
    }
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    for place, text in texts.items():
        test = doctest.DocTestParser().get_doctest(text, dict(known), place, None, 0)
        with capsys.disabled():
            said: list[str] = []
            runner.run(test, out=said.append)
        assert not runner.summarize(verbose=False).failed, "".join(said)


def test_the_watch_sees_what_is_not_documented() -> None:
    def bare(x):  # type: ignore[no-untyped-def]
        return x

    def careless(L: "np.ndarray") -> None:
        """Do something.

        Args:
            L: the votes.
        """

    assert list(problems("bare", bare)) == ["bare has no docstring", "bare does not say what it raises"]
    assert list(problems("careless", careless)) == [
        "careless has no example",
        "careless does not say what it raises",
        "careless does not say the shape of L",
    ]
