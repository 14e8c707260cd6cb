"""The labelling functions of a new task: some for each of its columns, which run as they are."""

import json
from collections.abc import Sequence

from adaptml.tasks.schema import Column

LEMMAS = "_lemmas"  # behind the name of a column of text

_FILE = '''\
"""Labelling functions: each votes for a class or abstains."""

from snorkel.labeling import LabelingFunction

from dataprogramming.lfs import {imports}
{above}

def get_lfs(params: LFParams) -> list[LabelingFunction]:
    """{what}"""
    lfs: list[LabelingFunction] = []
{lines}
    return lfs
'''
_KEYWORDS = """
# class → words and phrases that speak for it, as people write them; each becomes a labelling function.
# Long lists can lie in a file beside this one, a word a line: lookup("words.txt").
KEYWORDS = {{
{words}
}}
"""
_KEYWORD_LINES = """\
    for name, words in KEYWORDS.items():
        for word in words:
"""
_KEYWORD_LINE = """\
            lfs.append(keyword_lf(f"{prefix}{{name}}_{{word}}", [word], params.labels[name], {lemmas}))
"""
_PATHS = """
# class → words that speak for it where the path of a file holds them: folders often say what is in them
WORDS_IN_PATHS = {{
{words}
}}
"""
_PATH_LINES = """\
    for name, words in WORDS_IN_PATHS.items():
"""
_PATH_LINE = """\
        lfs.append(in_path({column}, name, words))
"""
_IN_PATH = '''

def in_path(column: str, name: str, words: list[str]) -> LabelingFunction:
    """Votes for the class where the path in the column holds one of the words."""

    def vote(x):
        path = str(x[column] or "").lower()
        return name if any(word in path for word in words) else None

    return LabelingFunction(f"{column}_{name}", vote)
'''
_LIMITS = """
# column of numbers → where they begin to speak for another class; replace both, and the classes below
LIMITS = {{
{limits}
}}
"""
_LIMIT_LINES = """\
    for column, limit in LIMITS.items():
        lfs.append(number_lf(f"{{column}}_high", {high}, column, above=limit))
        lfs.append(number_lf(f"{{column}}_low", {low}, column, below=limit))
"""


def lfs_file(class_names: Sequence[str], columns: Sequence[Column]) -> str:
    """The text of `lfs.py`.

    Args:
        class_names: of the task, at least two.
        columns: what annotators see. Texts are searched for words, paths of files for parts of them, and
            numbers are compared with a limit.
    """
    words = "\n".join(f"    {quoted(name)}: [{quoted(name.lower())}]," for name in class_names)
    texts = [column.name for column in columns if column.type == "text"]
    numbers = [column.name for column in columns if column.type == "number"]
    files = [column.name for column in columns if column.type not in ("text", "number")]
    imports, above, lines, over = ["LFParams"], "", "", []
    if texts:
        imports.append("keyword_lf")
        above += _KEYWORDS.format(words=words)
        lines += _KEYWORD_LINES
        for place, name in enumerate(texts):  # names of labelling functions differ
            prefix = f"{name}_" if place else ""
            lines += _KEYWORD_LINE.format(prefix=prefix, lemmas=quoted(f"{name}{LEMMAS}"))
        over.append("the lemmas")
    if files:
        above += _PATHS.format(words=words)
        lines += _PATH_LINES + "".join(_PATH_LINE.format(column=quoted(name)) for name in files)
        over.append("the paths of files")
    if numbers:
        imports.append("number_lf")
        above += _LIMITS.format(limits="\n".join(f"    {quoted(name)}: 100," for name in numbers))
        lines += _LIMIT_LINES.format(high=quoted(class_names[0]), low=quoted(class_names[1]))
        over.append("the numbers")
    what = f"Labelling functions over {' and over '.join(over)}."
    return _FILE.format(
        imports=", ".join(imports), above=above + _IN_PATH * bool(files), what=what, lines=lines.rstrip()
    )


def quoted(text: str) -> str:
    """JSON's quoting, which is YAML's and Python's too; YAML does not know its escapes of emoji."""
    return json.dumps(text, ensure_ascii=False)
