"""Fingerprints: the same where a rule votes alike, another wherever it may not, none where nobody can know."""

import enum
import functools
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from snorkel.labeling import LabelingFunction
from snorkel.preprocess import preprocessor

from adaptml.features import lemmas
from adaptml.tasks import Labels, Task
from dataprogramming.fingerprints import Fingerprint, core, fingerprint, fingerprints
from dataprogramming.keyword_lfs import keyword_lf
from dataprogramming.lfs import load_lfs
from dataprogramming.rule_lfs import number_lf, regex_lf

LABELS = Labels(["ham", "spam"])
HEAD = """
import re, functools, dataclasses, enum, collections
import numpy as np
from pathlib import Path
from snorkel.labeling import LabelingFunction, labeling_function
from snorkel.preprocess import preprocessor
from dataprogramming.lfs import LFParams, keyword_lf
"""
Files = dict[str, str]


def found(folder: Path, files: Files, **parameters: str) -> dict[str, Fingerprint]:
    """The fingerprints of a task's labelling functions, by name, after writing its files."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    task = Task(name="mails", classes=("ham", "spam"), lf_features=("text",), folder=folder)
    lfs = load_lfs(task, parameters)
    return {lf.name: made for lf, made in zip(lfs, fingerprints(lfs, task.labels, folder), strict=True)}


def rule(body: str, above: str = "", *, inside: str = "", decorator: str = "@labeling_function()") -> str:
    """An lfs.py with one rule, `rule`."""
    return (
        f"{HEAD}{above}\ndef get_lfs(params):\n    {inside or 'pass'}\n"
        f"    {decorator}\n    def rule(x):\n        {body}\n    return [rule]\n"
    )


HELPERS = "WORDS = ['a', 'b']\nOTHER = 1\ndef clean(text):\n    return text.lower()\n"
USES_WORDS = rule("return 'spam' if x.text in helpers.WORDS else None", "import helpers")
USES_CLEAN = rule("return 'spam' if clean(x.text) else None", "from helpers import clean")
CLASS = """
class Finder:
    words = ("a", "b")
    def __init__(self, low):
        self.low = low
    def __call__(self, text):
        return self.count(text) > self.low
    def count(self, text):
        return sum(word in text for word in self.words)
FIND = Finder(1)
"""
USES_CLASS = rule("return 'spam' if FIND(x.text) else None", CLASS)
PARAMS = "class Params(LFParams):\n    low: int = 1\n    high: int = 5\n"
USES_LOW = rule("return 'spam' if len(x.text) > params.low else None", PARAMS).replace(
    "(params)", "(params: Params)"
)
RECURSIVE = """
def even(n): return n == 0 or odd(n - 1)
def odd(n): return n != 0 and even(n - 1)
"""
USES_RECURSIVE = rule("return 'spam' if even(len(x.text)) else None", RECURSIVE)
ENUM = "class Kind(enum.Enum):\n    A = 'a'\n    B = 'b'\n"
USES_ENUM = rule("return 'spam' if x.text == Kind.A.value else None", ENUM)
DATA = "@dataclasses.dataclass\nclass Limits:\n    low: int = 1\n    high: int = 9\nLIMITS = Limits()\n"
USES_DATA = rule("return 'spam' if LIMITS.low < len(x.text) < LIMITS.high else None", DATA)
CACHED = "@functools.lru_cache\ndef slow(text):\n    return len(text) > 3\n"
USES_CACHED = rule("return 'spam' if slow(x.text) else None", CACHED)
PRE = "@preprocessor(memoize=True)\ndef lower(x):\n    x.text = x.text.lower()\n    return x\n"
USES_PRE = rule("return 'spam' if 'a' in x.text else None", PRE, decorator="@labeling_function(pre=[lower])")
PLAIN = rule("return 'spam' if 'free' in x.text else None")
NESTED = rule(
    "return 'spam' if any(w in x.text for w in WORDS if len(w) > 1) else None", "WORDS = {'a': 1, 'bc': 2}"
)
SENTINEL = rule("return 'spam' if D.get(x.text, A) is B else None", "A = object()\nB = object()\nD = {}")

OWN_SENTINEL = SENTINEL.replace("object()", "Missing()").replace("A = ", "class Missing: pass\nA = ")


def edit(text: str, *pairs: str) -> str:
    """The text with one thing in place of another."""
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    return text


CHANGES: dict[str, tuple[Files, Files]] = {
    "a constant": ({"lfs.py": PLAIN}, {"lfs.py": edit(PLAIN, "'free'", "'Free'")}),
    "a number's type": ({"lfs.py": rule("return 'spam' if x.n / 1 else None")}, {"lfs.py": rule("return 'spam' if x.n / 1.0 else None")}),
    "the class it votes for": ({"lfs.py": PLAIN}, {"lfs.py": edit(PLAIN, "'spam'", "'ham'")}),
    "an operator": ({"lfs.py": PLAIN}, {"lfs.py": edit(PLAIN, " in ", " not in ")}),
    "the column": ({"lfs.py": PLAIN}, {"lfs.py": edit(PLAIN, "x.text", "x.title")}),
    "the name of an argument": (
        {"lfs.py": rule("return 'spam' if dict(low=1) == x.d else None")},
        {"lfs.py": rule("return 'spam' if dict(high=1) == x.d else None")},
    ),
    "a global list": ({"lfs.py": NESTED}, {"lfs.py": edit(NESTED, "'bc'", "'cb'")}),
    "a dictionary's order": ({"lfs.py": NESTED}, {"lfs.py": edit(NESTED, "{'a': 1, 'bc': 2}", "{'bc': 2, 'a': 1}")}),
    "an inner condition": ({"lfs.py": NESTED}, {"lfs.py": edit(NESTED, "> 1", "> 0")}),
    "a word of a module": ({"lfs.py": USES_WORDS, "helpers.py": HELPERS}, {"helpers.py": edit(HELPERS, "'b'", "'c'")}),
    "a function of a module": ({"lfs.py": USES_CLEAN, "helpers.py": HELPERS}, {"helpers.py": edit(HELPERS, "lower", "upper")}),
    "a module as a whole": (
        {"lfs.py": rule("return 'spam' if getattr(helpers, 'OTHER') else None", "import helpers"), "helpers.py": HELPERS},
        {"helpers.py": edit(HELPERS, "OTHER = 1", "OTHER = 0")},
    ),
    "an attribute of an object": ({"lfs.py": USES_CLASS}, {"lfs.py": edit(USES_CLASS, "Finder(1)", "Finder(2)")}),
    "an attribute of a class": ({"lfs.py": USES_CLASS}, {"lfs.py": edit(USES_CLASS, '("a", "b")', '("a", "c")')}),
    "a method": ({"lfs.py": USES_CLASS}, {"lfs.py": edit(USES_CLASS, "> self.low", ">= self.low")}),
    "a base class": (
        {"lfs.py": edit(USES_CLASS, "class Finder:", "class Base:\n    x = 1\nclass Finder(Base):")},
        {"lfs.py": edit(USES_CLASS, "class Finder:", "class Base:\n    x = 2\nclass Finder(Base):")},
    ),
    "a parameter that is used": ({"lfs.py": USES_LOW}, {"lfs.py": edit(USES_LOW, "low: int = 1", "low: int = 2")}),
    "a function that calls itself": ({"lfs.py": USES_RECURSIVE}, {"lfs.py": edit(USES_RECURSIVE, "n != 0", "n > 0")}),
    "an enum's value": ({"lfs.py": USES_ENUM}, {"lfs.py": edit(USES_ENUM, "A = 'a'", "A = 'x'")}),
    "a field's default": ({"lfs.py": USES_DATA}, {"lfs.py": edit(USES_DATA, "low: int = 1", "low: int = 2")}),
    "a cached function": ({"lfs.py": USES_CACHED}, {"lfs.py": edit(USES_CACHED, "> 3", "> 4")}),
    "a preprocessor": ({"lfs.py": USES_PRE}, {"lfs.py": edit(USES_PRE, "lower()", "upper()")}),
    "no preprocessor": ({"lfs.py": USES_PRE}, {"lfs.py": edit(USES_PRE, "(pre=[lower])", "()")}),
    "which object it is": ({"lfs.py": SENTINEL}, {"lfs.py": edit(SENTINEL, "B = object()", "B = A")}),
    "which object of a class it is": ({"lfs.py": OWN_SENTINEL}, {"lfs.py": edit(OWN_SENTINEL, "B = Missing()", "B = A")}),
    "a default": (
        {"lfs.py": rule("return 'spam'").replace("rule(x)", "rule(x, low=1)")},
        {"lfs.py": rule("return 'spam'").replace("rule(x)", "rule(x, low=2)")},
    ),
    "a resource": (
        {"lfs.py": rule("return 'spam' if x.text in words else None", decorator="@labeling_function(resources={'words': ['a']})").replace("rule(x)", "rule(x, words)")},
        {"lfs.py": rule("return 'spam' if x.text in words else None", decorator="@labeling_function(resources={'words': ['b']})").replace("rule(x)", "rule(x, words)")},
    ),
    "a pattern's flags": (
        {"lfs.py": rule("return 'spam' if P.search(x.text) else None", "P = re.compile('a')")},
        {"lfs.py": rule("return 'spam' if P.search(x.text) else None", "P = re.compile('a', re.I)")},
    ),
    "a name of the file": (
        {"lfs.py": rule("return 'spam' if LOW else None", "LOW = False")},
        {"lfs.py": rule("return 'spam' if LOW else None", "LOW = True")},
    ),
    "a file that is read when it is loaded": (
        {"lfs.py": rule("return 'spam' if x.text in WORDS else None", "WORDS = set(Path('words.txt').read_text().split())"), "words.txt": "a b"},
        {"words.txt": "a c"},
    ),
}  # fmt: skip

SAME: dict[str, tuple[Files, Files]] = {
    "comments, blank lines and another rule": (
        {"lfs.py": PLAIN},
        {"lfs.py": edit(PLAIN, "def get_lfs", "# new\n\n\nX = 1\ndef get_lfs", "    @lab", "    @labeling_function()\n    def other(x):\n        return X\n    # more\n    @lab")},
    ),
    "a docstring": ({"lfs.py": PLAIN}, {"lfs.py": edit(PLAIN, "def rule(x):", "def rule(x):\n        '''Says it.'''")}),
    "a docstring of what it calls": ({"lfs.py": USES_CLEAN, "helpers.py": HELPERS}, {"helpers.py": edit(HELPERS, "clean(text):", "clean(text):\n    '''Clean.'''")}),
    "its name": ({"lfs.py": PLAIN}, {"lfs.py": edit(PLAIN, "def rule", "def newer", "[rule]", "[newer]")}),
    "the name of the LF": ({"lfs.py": PLAIN}, {"lfs.py": edit(PLAIN, "labeling_function()", "labeling_function('newer')")}),
    "another name of a module": ({"lfs.py": USES_WORDS, "helpers.py": HELPERS}, {"helpers.py": edit(HELPERS, "OTHER = 1", "OTHER = 2")}),
    "another function of a module": ({"lfs.py": USES_WORDS, "helpers.py": HELPERS}, {"helpers.py": edit(HELPERS, "lower", "upper")}),
    "lines above a function of a module": ({"lfs.py": USES_CLEAN, "helpers.py": HELPERS}, {"helpers.py": "\n\n# more\n" + HELPERS}),
    "a parameter that is not used": ({"lfs.py": USES_LOW}, {"lfs.py": edit(USES_LOW, "high: int = 5", "high: int = 6")}),
    "a class's docstring": ({"lfs.py": USES_CLASS}, {"lfs.py": edit(USES_CLASS, "class Finder:", "class Finder:\n    '''Finds.'''")}),
    "the order of a set": (
        {"lfs.py": rule("return 'spam' if x.text in {'a', 'b', 'c'} or x.text in W else None", "W = {'d', 'e', 'f'}")},
        {"lfs.py": rule("return 'spam' if x.text in {'c', 'b', 'a'} or x.text in W else None", "W = {'f', 'e', 'd'}")},
    ),
}  # fmt: skip


def one(digests: dict[str, Fingerprint]) -> str:
    """The digest of the last rule."""
    made = list(digests.values())[-1]
    assert made.reason == ""
    assert made.digest is not None
    assert re.fullmatch("[0-9a-f]{32}", made.digest)
    return made.digest


@pytest.mark.parametrize("files", CHANGES.values(), ids=CHANGES)
def test_what_may_change_a_vote_changes_the_digest(tmp_path: Path, files: tuple[Files, Files]) -> None:
    before = one(found(tmp_path / "mails", files[0]))
    assert one(found(tmp_path / "mails", files[1])) != before
    assert one(found(tmp_path / "mails", files[0])) == before


@pytest.mark.parametrize("files", SAME.values(), ids=SAME)
def test_what_changes_no_vote_leaves_the_digest(tmp_path: Path, files: tuple[Files, Files]) -> None:
    before = one(found(tmp_path / "mails", files[0]))
    assert one(found(tmp_path / "mails", files[1])) == before


def test_parameters_from_the_command_line(tmp_path: Path) -> None:
    before = one(found(tmp_path / "mails", {"lfs.py": USES_LOW}))
    assert one(found(tmp_path / "mails", {}, high="7")) == before
    assert one(found(tmp_path / "mails", {}, low="7")) != before


def test_parameters_that_are_handed_on(tmp_path: Path) -> None:
    text = rule(
        "return 'spam' if over(params, x) else None", PARAMS + "def over(p, x): return len(x.text) > p.low\n"
    )
    text = text.replace("(params)", "(params: Params)")
    before = one(found(tmp_path / "mails", {"lfs.py": text}))
    assert one(found(tmp_path / "mails", {}, low="7")) != before
    assert one(found(tmp_path / "mails", {}, low="1")) == before


def test_the_classes_and_their_order_count() -> None:
    lf = LabelingFunction("a", lambda x: "spam")
    both = {
        fingerprint(lf, Labels(names), None)
        for names in (["ham", "spam"], ["spam", "ham"], ["ham", "spam", "x"])
    }
    assert len(both) == 3


IN_A_PROCESS = """
import json, sys
from pathlib import Path
from adaptml.tasks import Task
from dataprogramming.fingerprints import fingerprints
from dataprogramming.lfs import load_lfs
digests = []
for folder in sys.argv[1:]:
    task = Task(name="mails", classes=("ham", "spam"), lf_features=("text",), folder=Path(folder))
    digests.append(fingerprints(load_lfs(task), task.labels, task.folder)[-1].digest)
print(json.dumps(digests))
"""


def test_a_new_process_and_another_folder_leave_the_digests(tmp_path: Path) -> None:
    """Each process has an order of sets of its own."""
    folders = []
    cases = CHANGES | SAME
    for number, (files, _) in enumerate(cases.values()):
        folders.append(tmp_path / f"task{number}")
        found(folders[-1], files)
    here = []
    for number, folder in enumerate(folders):
        folder.rename(tmp_path / f"moved{number}")
        here.append(str(tmp_path / f"moved{number}"))
    outcomes = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", IN_A_PROCESS, *here]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        outcomes.append(json.loads(done.stdout))
    mine = [one(found(Path(folder), {})) for folder in here]
    for outcome in outcomes:
        differ = [case for case, a, b in zip(cases, outcome, mine, strict=True) if a != b]
        assert differ == []


def test_what_another_library_notes_on_the_standard_library_s_functions_does_not_count(
    tmp_path: Path,
) -> None:
    """As PyTorch does with those of `enum.Enum`."""
    before = one(found(tmp_path / "mails", {"lfs.py": USES_ENUM}))
    function = vars(enum.Enum)["__new__"].__func__
    function.noted = "by somebody"
    try:
        assert one(found(tmp_path / "mails", {"lfs.py": USES_ENUM})) == before
    finally:
        del function.noted


# A class from Python 3.13 on, which is of a module that is refused as a whole.
A_LOCK = "its `L` → ['a'] → item 0 " + (
    "→ its class is _thread.lock, which depends on the machine or the process"
    if isinstance(threading.Lock, type)
    else "is a _thread.lock, which cannot be compared (TypeError: cannot pickle '_thread.lock' object)"
)
UNCERTAIN = {
    "random": (rule("return 'spam' if random.random() > 0.5 else None", "import random"), "uses random.random, which is drawn at random"),
    "random by name": (rule("return choice(['spam', None])", "from random import choice"), "its `choice` → its method is random.Random.choice, which is drawn at random"),
    "numpy's random": (rule("return 'spam' if np.random.rand() > 0.5 else None"), "uses numpy.random, which is drawn at random"),
    "a clock": (rule("return 'spam' if time.time() > x.n else None", "import time"), "uses time.time, which asks the clock"),
    "today": (rule("return 'spam' if datetime.date.today() > x.day else None", "import datetime"), "calls .today(), which asks the clock"),
    "a clock under another name": (rule("return 'spam' if NOW() > x.time else None", "import datetime\nNOW = datetime.datetime.now"), "its `NOW` is the method now, which asks the clock"),
    "a path's method": (rule("return 'spam' if READ(x.text) else None", "READ = Path.read_text"), f"its `READ` is {Path.read_text.__module__}.Path.read_text, which reads files"),
    "a file": (rule("return 'spam' if x.text in open('words.txt').read() else None"), "uses open, which reads files"),
    "a path": (rule("return 'spam' if x.text in PATH.read_text() else None", "from pathlib import Path\nPATH = Path('w')"), "calls .read_text(), which reads files"),
    "the environment": (rule("return os.environ.get('VOTE')", "import os"), "uses os.environ, which depends on the machine or the process"),
    "a word list": (rule("return 'spam' if x.text in lookup('words.txt') else None", "from adaptml import lookup"), "its `lookup` is dataprogramming.lookup.lookup, which reads files"),
    "a table of a file": (rule("return 'spam' if len(pd.read_csv('a.csv')) else None", "import pandas as pd"), "uses pandas.read_csv, which reads files"),
    "the network": (rule("return httpx.get(x.text).text", "import httpx"), "uses httpx.get, which asks the network"),
    "another program": (rule("return subprocess.check_output(x.text)", "import subprocess"), "uses subprocess.check_output, which runs code that cannot be seen here"),
    "eval": (rule("return eval(x.text)"), "uses eval, which runs code that cannot be seen here"),
    "hash": (rule("return 'spam' if hash(x.text) % 2 else None"), "uses hash, which depends on the machine or the process"),
    "an import when called": (rule("import random; return random.choice(['spam', None])"), "uses random, which is drawn at random"),
    "a partial import when called": (rule("import numpy as n; return 'spam' if n.random.rand() > 0.5 else None"), "uses numpy.random, which is drawn at random"),
    "a global that is written": (rule("global N; N += 1; return 'spam' if N > 3 else None", "N = 0"), "writes the global `N`"),
    "a variable around it": (rule("nonlocal n; n += 1; return 'spam' if n > 3 else None", inside="n = 0"), "writes the variable `n` of the function around it"),
    "a global list that grows": (rule("SEEN.append(x.text); return 'spam' if len(SEEN) > 3 else None", "SEEN = []"), "changes `SEEN` with .append()"),
    "a list of a module that grows": (rule("c.SEEN.append(x.text)", "import types\nc = types.ModuleType('own_c'); c.SEEN = []"), "changes `c.SEEN` with .append()"),
    "a global dictionary": (rule("SEEN[x.text + 'a'.lower()] = x.n", "SEEN = {}"), "changes its global `SEEN`"),
    "a global counter": (rule("SEEN[x.text] += 1; return 'spam' if SEEN[x.text] > 1 else None", "SEEN = collections.Counter()"), "changes its global `SEEN`"),
    "an attribute of a global": (rule("STATE.n.m += 1", "class S: n = 1\nSTATE = S()"), "changes its global `STATE`"),
    "its data point": (rule("x.text = 'a'; return 'spam'"), "writes into its argument `x`"),
    "a list of its data point": (rule("x.tokens.sort(); return 'spam'"), "changes its argument `x.tokens` with .sort()"),
    "a default that grows": (rule("seen.append(x.text); return 'spam' if len(seen) > 3 else None").replace("rule(x)", "rule(x, seen=[])"), "changes its argument `seen` with .append()"),
    "a method that counts": (edit(USES_CLASS, "return self.count", "self.n = 1; return self.count"), "its `FIND` → its class → its `__call__` writes into its argument `self`"),
    "a helper of a helper": (
        rule("return 'spam' if a(x.text) else None", "import time\ndef a(t): return b(t)\ndef b(t): return t or time.time()"),
        "its `a` → its `b` uses time.time, which asks the clock",
    ),
    "a generator": (rule("return next(G)", "G = (i for i in range(9))"), "its `G` is a generator, which changes as it is used"),
    "an open file": (rule("return 'spam' if x.text in F.name else None", "F = open(__file__); F.close()"), "its `F` is a _io.TextIOWrapper, which changes as it is used"),
    "a lock": (rule("return 'spam' if L['a'][0].locked() else None", "import threading\nL = {'a': [threading.Lock()]}"), A_LOCK),
    "a docstring": (rule("return clean.__doc__", "def clean(): 'spam'"), "looks at .__doc__"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), UNCERTAIN.values(), ids=UNCERTAIN)
def test_where_it_cannot_be_certain_it_says_why(tmp_path: Path, text: str, reason: str) -> None:
    made = found(tmp_path / "mails", {"lfs.py": text})["rule"]
    assert made.digest is None
    assert made.reason.removeprefix("it ") == reason


def test_an_own_module_that_is_imported_when_called(tmp_path: Path) -> None:
    text = rule("import helpers; return helpers.OTHER")
    made = found(tmp_path / "mails", {"lfs.py": text, "helpers.py": HELPERS})["rule"]
    assert made == Fingerprint(None, "it imports helpers when it is called; import it at the top of the file")


CERTAIN = {
    "a library's modules": rule("return 'spam' if re.search('a', x.text) and np.mean([1]) and os.path.join(x.text) else None", "import os"),
    "an import when called": rule("import re; return 'spam' if re.search('a', x.text) else None"),
    "what it makes itself": rule("d = {}; d[x.text] = 1; seen = []; seen.append(1); return 'spam' if d else None"),
    "an inner function's variable": rule("n = 0\n        def add():\n            nonlocal n\n            n += 1\n        add(); return 'spam' if n else None"),
    "getattr of its data point": rule("return 'spam' if getattr(x, 'text', None) else None"),
}  # fmt: skip


@pytest.mark.parametrize("text", CERTAIN.values(), ids=CERTAIN)
def test_common_rules_are_certain(tmp_path: Path, text: str) -> None:
    one(found(tmp_path / "mails", {"lfs.py": text}))


def own_length(texts: Any) -> Any:
    return np.array([[len(text)] for text in texts])


def own_words(texts: Any) -> Any:
    return np.array([[len(text.split())] for text in texts])


def fitted(step: Callable[[Any], Any], classes: list[int]) -> Any:
    texts = ["a b", "c d e", "f"]
    return make_pipeline(FunctionTransformer(step), LogisticRegression()).fit(texts, classes)


def of_value(value: Any) -> Fingerprint:
    """The fingerprint of a rule that refers to a value."""
    return fingerprint(LabelingFunction("rule", lambda x: value), LABELS, None)


VALUES: dict[str, Callable[[], list[Any]]] = {
    "numbers and texts": lambda: [1, 1.0, True, "1", b"1", None, 0, False, 0.0, -0.0, "", (), [], {}, set(), frozenset()],
    "lists": lambda: [["ab"], ["a", "b"], ["a", "bstr c"], ["astr b", "c"], [["a"], "b"], [["a", "b"]], ("ab",), ("a", "b"), {"a": "b"}],
    "arrays": lambda: [np.arange(4), np.arange(4.0), np.arange(4).reshape(2, 2), np.arange(4, dtype="int32"), np.array(["a", "b"]), np.array(["a", "b"], object)],
    "frames": lambda: [pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 3]}), pd.DataFrame({"b": [1, 2]}), pd.DataFrame({"a": ["1", "2"]}), pd.Series(["x"]), pd.Series(["y"])],
    "sparse matrices": lambda: [csr_matrix([[0, 1]]), csr_matrix([[1, 0]]), csr_matrix([[0, 2]])],
    "fitted models": lambda: [
        CountVectorizer().fit(["a bb"]), CountVectorizer().fit(["a cc"]),
        fitted(own_length, [0, 1, 0]), fitted(own_words, [0, 1, 0]), fitted(own_length, [0, 1, 1]),
    ],
    "functions": lambda: [own_length, own_words, len, str.lower, "a".join, "b".join, functools.partial(own_length, 1), functools.partial(own_length, 2)],
    "patterns": lambda: [re.compile("a"), re.compile("b"), re.compile(b"a"), re.compile("a", re.I)],
}  # fmt: skip


@pytest.mark.parametrize("make", VALUES.values(), ids=VALUES)
def test_values_that_differ_have_digests_that_differ(make: Callable[[], list[Any]]) -> None:
    digests = [of_value(value) for value in make()]
    assert [made.reason for made in digests] == [""] * len(digests)
    assert len(set(digests)) == len(digests)
    assert [of_value(value) for value in make()] == digests


def test_what_has_a_name_of_its_own_counts_in_keyword_rules() -> None:
    made = [
        fingerprint(lf, LABELS, None)
        for lf in (
            keyword_lf("a", ["x", "y"], "spam", "tokens"),
            keyword_lf("other name", ["y", "x"], "spam", "tokens"),
            keyword_lf("a", ["xy"], "spam", "tokens"),
            keyword_lf("a", ["x", "y"], "ham", "tokens"),
            keyword_lf("a", ["x", "y"], "spam", "lemmas"),
        )
    ]
    assert made[0] == made[1]
    assert len(set(made)) == 4
    assert all(one.digest for one in made)


def test_what_a_rule_that_is_data_says_counts_and_its_name_does_not() -> None:
    made = [
        (keyword_lf("a", ["x"], "spam", "text"), keyword_lf("b", ["x"], "spam", "text")),
        (
            keyword_lf("a", ["x"], "spam", "text", exact=True),
            keyword_lf("b", ["x"], "spam", "text", exact=True),
        ),
        (regex_lf("a", "x", "spam", "text"), regex_lf("b", "x", "spam", "text")),
        (regex_lf("a", "xy", "spam", "text"), regex_lf("b", "xy", "spam", "text")),
        (regex_lf("a", "x", "ham", "text"), regex_lf("b", "x", "ham", "text")),
        (regex_lf("a", "x", "spam", "lemmas"), regex_lf("b", "x", "spam", "lemmas")),
        (number_lf("a", "spam", "n", above=1), number_lf("b", "spam", "n", above=1.0)),
        (number_lf("a", "spam", "n", below=1), number_lf("b", "spam", "n", below=1.0)),
        (number_lf("a", "spam", "n", above=0, below=1), number_lf("b", "spam", "n", above=0, below=1)),
    ]
    digests = [[fingerprint(lf, LABELS, None).digest for lf in pair] for pair in made]
    assert all(one == other is not None for one, other in digests)
    assert len({one for one, _ in digests}) == len(made)


def test_the_language_and_what_becomes_of_words_count_in_keyword_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def digests(language: str) -> list[str | None]:
        lfs = [keyword_lf("a", ["x"], "spam", "text"), keyword_lf("b", ["x"], "spam", "text", exact=True)]
        loaded = load_lfs(Task(classes=["ham", "spam"], language=language, lfs=lfs))
        return [made.digest for made in fingerprints(loaded, LABELS, None)]

    before, other_language = digests("en"), digests("de")
    assert before[0] != other_language[0]
    monkeypatch.setattr(lemmas, "LEMMAS_VERSION", lemmas.LEMMAS_VERSION + 1)
    other_words = digests("en")
    assert before[0] != other_words[0]
    assert before[1] == other_words[1]  # looks at no lemma


def test_the_code_that_splits_words_and_looks_for_keywords_counts() -> None:
    assert {"words.py", "lemmas.py", "keywords.py", "applier.py"} < set(
        chain.from_iterable(core._VOTING.values())
    )
    lf = keyword_lf("a", ["x"], "spam", "text")
    before = fingerprint(lf, LABELS, None)
    core._voting.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(core._VOTING, "adaptml.features", ["words.py", "featurize.py"])
        assert fingerprint(lf, LABELS, None) != before
    core._voting.cache_clear()
    assert fingerprint(lf, LABELS, None) == before


def test_the_words_of_a_list_in_a_file_count(tmp_path: Path) -> None:
    lfs = (
        "from adaptml import keyword_lf, labeling_function, lookup\nBAD = lookup('bad.txt')\n"
        "def get_lfs(params):\n"
        "    @labeling_function\n    def written(x):\n        return 'spam' if x.text in BAD else None\n"
        "    @labeling_function\n    def other(x):\n        return 'spam' if x.text else None\n"
        "    return [keyword_lf('bad', BAD, 'spam', 'text'), written, other]\n"
    )
    before = found(tmp_path / "mails", {"lfs.py": lfs, "bad.txt": "worst\nawful\n"})
    same = found(tmp_path / "mails", {"bad.txt": "# a comment\nworst\nawful\n"})
    after = found(tmp_path / "mails", {"bad.txt": "worst\nawful\nlate\n"})
    assert same == before
    assert {name for name in before if before[name] != after[name]} == {"bad", "written"}
    assert all(made.digest for made in after.values())


def test_what_a_preprocessor_keeps_does_not_count() -> None:
    @preprocessor(memoize=True)
    def lower(x: Any) -> Any:
        x.text = x.text.lower()
        return x

    lf = LabelingFunction("rule", lambda x: "spam" if x.text == "a" else None, pre=[lower])
    before = fingerprint(lf, LABELS, None)
    assert lf(pd.Series({"text": "A"})) == "spam"
    assert lower._cache
    assert fingerprint(lf, LABELS, None) == before
    assert before.digest is not None


def test_what_a_rule_keeps_is_seen_afterwards() -> None:
    """Such a change may be hidden in the code; the digest differs all the same."""
    kept: dict[str, int] = {}
    keep = kept.__setitem__
    lf = LabelingFunction("rule", lambda x: keep(x, len(kept)))
    before = fingerprint(lf, LABELS, None)
    lf("a")
    after = fingerprint(lf, LABELS, None)
    assert before.digest != after.digest


def test_one_rule_hangs_on_no_other(tmp_path: Path) -> None:
    """Two functions that call each other are met from either side; each rule's digest is its own."""
    text = HEAD + RECURSIVE + "def get_lfs(params):\n    return [{}]\n"
    even, odd = (f"LabelingFunction('{name}', lambda x: {name}(x.n))" for name in ("even", "odd"))
    both = found(tmp_path / "mails", {"lfs.py": text.format(f"{even}, {odd}")})
    alone = found(tmp_path / "mails", {"lfs.py": text.format(odd)})
    turned = found(tmp_path / "mails", {"lfs.py": text.format(f"{odd}, {even}")})
    assert both["odd"] == alone["odd"] == turned["odd"]
    assert both["even"] == turned["even"] != both["odd"]
    assert both["even"].digest is not None


def test_what_a_persons_code_raises_is_a_reason() -> None:
    class Odd(threading.Event):
        def __reduce__(self) -> Any:
            raise SystemExit("no")

        def __eq__(self, other: object) -> bool:
            raise ValueError

        __hash__ = None  # type: ignore[assignment]

    assert of_value(Odd()).digest is None


def test_too_deep_a_value() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    made = of_value(deep)
    assert made == Fingerprint(None, "it refers to something that is nested too deeply to be compared")


ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
HASHABLE = st.recursive(ATOMS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner), max_leaves=8)
NESTED_VALUES = st.recursive(
    HASHABLE | st.sets(HASHABLE),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(HASHABLE, inner),
    max_leaves=12,
)


def shape(value: Any) -> Any:
    """A value as a text that tells types apart and forgets the order of sets."""
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}({sorted(shape(item) for item in value)})"
    if isinstance(value, dict):
        return f"dict({[(shape(key), shape(item)) for key, item in value.items()]})"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({[shape(item) for item in value]})"
    return f"{type(value).__name__} {value!r}"


def rebuilt(value: Any) -> Any:
    """An equal value of new objects, its sets filled the other way round."""
    if isinstance(value, set | frozenset):
        return type(value)(rebuilt(item) for item in reversed(list(value)))
    if isinstance(value, dict):
        return {rebuilt(key): rebuilt(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(rebuilt(item) for item in value)
    return value


@given(NESTED_VALUES, NESTED_VALUES)
def test_digests_are_equal_where_values_are(one: Any, other: Any) -> None:
    assert of_value(one) == of_value(rebuilt(one))
    assert (of_value(one) == of_value(other)) == (shape(one) == shape(other))
