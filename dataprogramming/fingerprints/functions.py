"""Functions, by their code and by all that the code refers to; modules, by what is taken from them."""

import builtins
import types
from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

from dataprogramming.fingerprints.classes import named
from dataprogramming.fingerprints.code import CodeFacts, changing, code_facts
from dataprogramming.fingerprints.errors import Uncertain
from dataprogramming.fingerprints.libraries import known_distribution, library
from dataprogramming.fingerprints.outside import partly_outside, why_method, why_outside
from dataprogramming.fingerprints.pieces import Pieces
from dataprogramming.lfs import LFParams

if TYPE_CHECKING:
    from dataprogramming.fingerprints.walker import Walker

_MISSING = object()
_OF_EVERY_MODULE = {
    *("__name__", "__doc__", "__package__", "__loader__", "__spec__", "__path__", "__file__", "__cached__"),
    *("__builtins__", "__annotations__", "__warningregistry__"),
}
_CONTAINERS = (dict, list, set, deque, bytearray)


def put_function(
    walker: "Walker", out: Pieces, function: types.FunctionType, *, is_rule: bool = False
) -> None:
    """Write a function: its code, its defaults and attributes, and the values that its code refers to.

    Args:
        walker: walks what it refers to.
        out: takes the pieces.
        function: a person's own function, or one of a library that wraps such.
        is_rule: leave its name out, unless its code looks at names: a rule under a new name votes as before.
    """
    if not is_rule:
        by_name = named(walker, function)
        if by_name is not None:
            out.append(by_name)
            return
    facts = code_facts(function.__code__)
    shows_name = not is_rule or not facts.names.isdisjoint({"__name__", "__qualname__", function.__name__})
    out += [b"function", facts.digest, function.__qualname__.encode() if shows_name else b""]
    for part in (function.__defaults__, function.__kwdefaults__):
        walker.visit(out, part, "a default")
    walker.visit(out, function.__dict__, "its attributes")
    home = walker.library(function.__globals__.get("__name__"))
    if home is not None:  # its code and its globals are as they are in that version; what it wraps is not
        out.append(home.encode())
        for name, value in _outer(function).items():
            walker.visit(out, value, f"its `{name}`")
    else:
        _check_own(function, facts, walker)
        _put_imports(walker, out, facts)
        _put_globals(walker, out, function, facts)
        for name, *attributes in facts.outer:
            _put_chain(walker, out, _outer(function)[name], [name, *attributes])


def _check_own(function: types.FunctionType, facts: CodeFacts, walker: "Walker") -> None:
    """Refuse a function of a person's own that keeps or changes something, as far as its code shows."""
    if facts.problem:
        raise Uncertain(facts.problem)
    if id(function) in walker.may_write:
        return
    for name in sorted(facts.writes):
        raise Uncertain(f"writes into its argument `{name}`", changes_row=True)
    kept = _kept_defaults(function)
    for chain in facts.arguments:
        if changing(chain, 2 if chain[0] in kept else 3):
            what = f"changes its argument `{'.'.join(chain[:-1])}` with {changing(chain, 2)}"
            raise Uncertain(what, changes_row=True)


def _kept_defaults(function: types.FunctionType) -> set[str]:
    """Arguments whose default is a container, which all calls share."""
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
    known = {**dict(zip(names, defaults, strict=True)), **(function.__kwdefaults__ or {})}
    return {name for name, value in known.items() if isinstance(value, _CONTAINERS)}


def _put_imports(walker: "Walker", out: Pieces, facts: CodeFacts) -> None:
    for module in facts.imports:
        if walker.is_own_name(module) or not known_distribution(module):
            raise Uncertain(f"imports {module} when it is called; import it at the top of the file")
        for dotted in (module, *(f"{module}.{name}" for name in sorted(facts.names))):
            _check_outside(dotted)
        out.append((library(module) or module).encode())


def _check_outside(dotted: str) -> None:
    why = why_outside(dotted)
    if why:
        raise Uncertain(f"uses {dotted.removeprefix('builtins.')}, which {why}")


def _put_globals(walker: "Walker", out: Pieces, function: types.FunctionType, facts: CodeFacts) -> None:
    known: Mapping[str, object] = function.__globals__
    for name, *attributes in facts.globals:
        if name in known:
            _put_chain(walker, out, known[name], [name, *attributes])
        else:
            _check_outside(f"builtins.{name}")
            out.append(b"builtin" if hasattr(builtins, name) else b"missing")


def _outer(function: types.FunctionType) -> dict[str, object]:
    """Values of the variables of the functions around it; one that has none yet stands for itself."""
    found: dict[str, object] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            found[name] = NotImplemented
    return found


def _put_chain(walker: "Walker", out: Pieces, value: object, chain: list[str]) -> None:
    """Write what attributes lead to, as far as they lead through modules and parameters.

    Of a module, and of the parameters of `get_lfs`, only what is used counts.
    """
    taken = 1
    while taken < len(chain):
        if _is_library(value, walker):
            _check_outside(f"{value.__name__}.{chain[taken]}")
        inner = _member(value, chain[taken])
        if inner is _MISSING:
            break
        value, taken = inner, taken + 1
    name = ".".join(chain[:taken])
    if _is_library(value, walker) and partly_outside(value.__name__):
        raise Uncertain(f"hands on the module {value.__name__}, parts of which cannot be relied on")
    if changing(tuple(chain[taken - 1 :]), 2) and isinstance(value, _CONTAINERS):
        raise Uncertain(f"changes `{name}` with {changing(tuple(chain), 2)}")
    walker.visit(out, value, f"its `{name}`")


def _is_library(value: object, walker: "Walker") -> TypeGuard[types.ModuleType]:
    return isinstance(value, types.ModuleType) and walker.library(value.__name__) is not None


def _member(owner: object, name: str) -> object:
    """An attribute of a module or of parameters, of which nothing else is looked at then."""
    looks_at_one = isinstance(owner, types.ModuleType) or (
        isinstance(owner, LFParams) and name in type(owner).model_fields
    )
    return vars(owner).get(name, _MISSING) if looks_at_one else _MISSING


def references(function: types.FunctionType) -> Iterator[tuple[str, object]]:
    """Name and value of what a function's code refers to, such as `helpers.WORDS`; builtins are left out."""
    facts, outer = code_facts(function.__code__), _outer(function)
    known = [(chain, function.__globals__) for chain in facts.globals]
    for chain, values in [*known, *((chain, outer) for chain in facts.outer)]:
        if chain[0] not in values:
            continue
        name, value = chain[0], values[chain[0]]
        for attribute in chain[1:]:
            inner = _member(value, attribute)
            if inner is _MISSING:
                break
            name, value = f"{name}.{attribute}", inner
        yield name, value


def put_module(walker: "Walker", out: Pieces, module: types.ModuleType) -> None:
    """Write a module as a whole: a library's by its version, a person's own by all that it defines."""
    home = walker.library(module.__name__)
    out += [b"module", module.__name__.encode()]
    if home is not None:
        _check_outside(module.__name__)
        out.append(home.encode())
        return
    own = {name: value for name, value in vars(module).items() if name not in _OF_EVERY_MODULE}
    walker.pairs(out, "own", sorted(own.items()))


def put_method(walker: "Walker", out: Pieces, method: types.MethodType) -> None:
    """Write a bound method: its function and its object."""
    out.append(b"method")
    walker.visit(out, method.__func__, "its method")
    walker.visit(out, method.__self__, "its object")


def put_builtin(walker: "Walker", out: Pieces, function: Any) -> None:
    """Write a compiled function: a library's by its name, a method by its object too."""
    owner = function.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        by_name = named(walker, function)
        if by_name is None:
            raise Uncertain(f"is {function.__name__}, compiled code of no installed library")
        out.append(by_name)
        return
    if why_method(function.__name__):
        raise Uncertain(f"is the method {function.__name__}, which {why_method(function.__name__)}")
    out += [b"method", function.__name__.encode()]
    walker.visit(out, owner, "its object")
