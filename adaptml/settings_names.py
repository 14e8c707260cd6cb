"""Names of settings that nothing reads: those of the original ADaPT-ML, and those that are mistyped."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path

from dotenv import dotenv_values

from adaptml.errors import listed
from adaptml.events import JOB_VARIABLE, VARIABLE
from adaptml.settings import ENV_FILES, MLFLOWS, Settings

OURS = "ADAPTML_"
STACK_FILE = "docker-compose.yml"
# Others' variables are nobody's business here: in the environment only names that begin so can be mistyped.
_NEAR = (OURS, "CRATE_", "DP_", "LS_", "MODELLING_", "STACK_")
# Known without a Compose file: read by the stack and by the tests.
_ALWAYS = {
    f"{OURS}VERSION",
    f"{OURS}TEST_CRATEDB",
    "STACK_DATABASE_URL",
    "STACK_SERVICE",
    VARIABLE,
    JOB_VARIABLE,
}
_PASSWORDS = "nothing to set, `adaptml up` makes the passwords and keeps them in secrets/"
_FILES = "DATA_PATH, a folder with all that people put in and take out"
# What the original read → what is set today. The first that fits counts.
SUCCESSORS = {
    "DATABASE_IP": "STACK_DATABASE_URL in the stack, ADAPTML_DATABASE_URL without it",
    "DATABASE_USERNAME": "a part of STACK_DATABASE_URL or ADAPTML_DATABASE_URL: crate://user:password@host:4200",
    "DATABASE_PASSWORD": "a part of STACK_DATABASE_URL or ADAPTML_DATABASE_URL: crate://user:password@host:4200",
    "DB_DATA_PATH": "CRATE_DATA",
    "LS_TASKS_PATH": "ANNOTATIONS, or the folder annotations in DATA_PATH",
    "LS_ANNOTATIONS_PATH": "ANNOTATIONS, or the folder annotations in DATA_PATH",
    "LS_PATH": "LABEL_STUDIO_DATA",
    "LS_DATA_PATH": "LABEL_STUDIO_DATA",
    "DP_DATA_PATH": _FILES,
    "MODELLING_DATA_PATH": _FILES,
    "DP_MYSQL_*": _PASSWORDS,
    "MODELLING_MYSQL_*": _PASSWORDS,
    "MYSQL_*": _PASSWORDS,
    "*_MLFLOW_TRACKING_URI": "MLFLOW_TRACKING_URI without the stack; in it, nothing to set",
    "DP_HOST_NAME": "nothing to set, the containers' names are fixed",
    "MODELLING_HOST_NAME": "nothing to set, the containers' names are fixed",
    "*_MODEL_PATH": "nothing to set, `adaptml deploy MODEL` says which model is served",
}
# Others have variables of these names too: in the environment they count only beside one of the rest.
_COMMON = ("DATABASE_USERNAME", "DATABASE_PASSWORD", "MYSQL_*", "*_MLFLOW_TRACKING_URI", "*_MODEL_PATH")


def unread_names(root: Path, environment: Mapping[str, str]) -> list[str]:
    """A line for each thing that is set in vain, with what to set today.

    Args:
        root: the project's folder, with `.env` and `.env.dev`.
        environment: the process's.
    """
    known = _known(root)
    lines = []
    for place, names in (*_in_files(root), ("the environment", set(environment))):
        everything = place != "the environment"
        if everything and any(name.startswith(MLFLOWS) for name in names - known):
            known |= _mlflows()
        # Those of the library are found in small letters too.
        rest = {n for n in names - known if not (n.upper().startswith(OURS) and n.upper() in known)}
        old = _successors(rest, everything=everything)
        for successor in dict.fromkeys(old.values()):
            these = sorted(name for name, one in old.items() if one == successor)
            lines.append(f"{listed(these, 10)} in {place}: of before, read by nothing; today: {successor}")
        for name in sorted(rest - set(old)):
            said = _mistyped(name, known, everything=everything)
            if said:
                lines.append(f"{name} in {place}: no setting; {said}")
    return lines


def _known(root: Path) -> set[str]:
    """Every variable that something reads."""
    aliases = ((name, field.validation_alias) for name, field in Settings.model_fields.items())
    library = {alias if isinstance(alias, str) else f"{OURS}{name.upper()}" for name, alias in aliases}
    path = root / STACK_FILE
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return library | _ALWAYS | set(re.findall(r"\$\{(\w+)", text))


def _mlflows() -> set[str]:
    """What MLflow itself reads: found in its text, since importing it takes seconds."""
    package = find_spec("mlflow")
    if package is None or package.origin is None:
        return set()
    text = Path(package.origin).with_name("environment_variables.py").read_text(encoding="utf-8")
    return set(re.findall(rf'"({MLFLOWS}\w+)"', text))


def _in_files(root: Path) -> Iterator[tuple[str, set[str]]]:
    for name in ENV_FILES:
        path = root / name
        if path.is_file():
            try:
                yield name, set(dotenv_values(path, interpolate=False))
            except UnicodeDecodeError:  # reading the settings says so
                continue


def _successors(names: set[str], *, everything: bool) -> dict[str, str]:
    """Those of the names that the original had → what is set today."""
    found = {name: pattern for name in names for pattern in SUCCESSORS if fnmatchcase(name, pattern)}
    certain = everything or any(pattern not in _COMMON for pattern in found.values())
    return {name: SUCCESSORS[pattern] for name, pattern in found.items() if certain}


def _mistyped(name: str, known: set[str], *, everything: bool) -> str:
    """What a name was meant to be; empty for one that may be somebody else's."""
    if not everything and not name.upper().startswith(_NEAR):
        return ""
    near = get_close_matches(name.upper(), sorted(known), 2, 0.8)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return "`adaptml settings` lists those there are" if name.startswith(OURS) else ""
