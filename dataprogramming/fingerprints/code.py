"""What is in a code object that may change a vote: its operations, what it refers to, what it writes.

Line numbers, file names, function names and docstrings are left out, so that comments, blank lines, a moved
folder and a new name change nothing.
"""

import dis
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType

from dataprogramming.fingerprints.outside import leads_around, why_method
from dataprogramming.fingerprints.pieces import constant, digest

Chain = tuple[str, ...]

_MUTATING = {
    *("add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "reverse"),
    *("setdefault", "sort", "update", "appendleft", "popleft", "extendleft"),
}
_ATTRIBUTE = {"LOAD_ATTR", "LOAD_METHOD"}
_STORE_INTO = {"STORE_ATTR", "DELETE_ATTR", "STORE_SUBSCR", "DELETE_SUBSCR"}
_GLOBAL = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
_OUTER = {"LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"}


@dataclass
class CodeFacts:
    """What a code object, with those inside it, does.

    Attributes:
        digest: of its operations in order, each with its argument: a number, a name, or what a constant is.
        globals: the globals that it reads, each with the attributes that it takes from it at once:
            `("helpers", "WORDS")`.
        outer: the same of the variables of the functions around it.
        arguments: the same of its arguments, where an attribute is taken.
        imports: modules that it imports when it is called.
        names: every name in it.
        problem: why its votes cannot be kept, as far as the code alone shows it; empty where it does not.
        writes: arguments whose attributes or parts it writes.
    """

    digest: bytes = b""
    globals: dict[Chain, None] = field(default_factory=dict)
    outer: dict[Chain, None] = field(default_factory=dict)
    arguments: dict[Chain, None] = field(default_factory=dict)
    imports: dict[str, None] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    problem: str = ""
    writes: set[str] = field(default_factory=set)


@lru_cache(maxsize=20_000)
def code_facts(code: CodeType) -> CodeFacts:
    """What a function's code does. Equal code, constants' types included, does the same."""
    return _facts(code, frozenset(code.co_freevars))


def _facts(code: CodeType, shared: frozenset[str]) -> CodeFacts:
    """Facts of a code object.

    Args:
        code: a function's code, or code inside it.
        shared: variables that outlive a call of the function.
    """
    found = CodeFacts()
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    found.names.update(code.co_names, code.co_freevars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    variables = (code.co_varnames, code.co_cellvars, code.co_freevars, code.co_exceptiontable)
    pieces = [constant((*counts, *variables))]
    read = (step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG")
    operations = [single for step in read for single in _singles(_with_constant(step, code))]
    for number, step in enumerate(operations):
        pieces += [step.opname.encode(), _argument(step, found, shared)]
        _look(found, operations, number, shared, arguments)
    found.digest = digest(pieces)
    return found


def _with_constant(step: dis.Instruction, code: CodeType) -> dis.Instruction:
    """An operation with the constant that it uses: Python 3.11 leaves out the names of keyword arguments."""
    if step.opname != "KW_NAMES" or step.arg is None:
        return step
    return step._replace(argval=code.co_consts[step.arg])


def _singles(step: dis.Instruction) -> Iterator[dis.Instruction]:
    """An operation; from Python 3.13 one may read or store two variables, and stands for two here."""
    if "_FAST" not in step.opname or not isinstance(step.argval, tuple):
        yield step
        return
    stores = step.opname.count("STORE_FAST")
    first = "STORE_FAST" if stores else "LOAD_FAST"
    for opname, name in zip((first, "STORE_FAST" if stores > 1 else "LOAD_FAST"), step.argval, strict=True):
        yield step._replace(opname=opname, opcode=dis.opmap[opname], arg=0, argval=name)


def _argument(step: dis.Instruction, found: CodeFacts, shared: frozenset[str]) -> bytes:
    """An operation's argument as what it stands for: constants move when a docstring is added."""
    if step.opcode not in dis.hasconst:
        return constant(step.argval if isinstance(step.argval, str) else step.arg)
    if not isinstance(step.argval, CodeType):
        return constant(step.argval)
    inner = _facts(step.argval, shared & frozenset(step.argval.co_freevars))
    found.globals |= inner.globals
    found.outer |= inner.outer
    found.imports |= inner.imports
    found.names |= inner.names
    found.problem = found.problem or inner.problem
    return digest([b"code", step.argval.co_name.encode(), inner.digest])


def _look(
    found: CodeFacts,
    operations: Sequence[dis.Instruction],
    number: int,
    shared: frozenset[str],
    arguments: Sequence[str],
) -> None:
    """Note what one operation reads, writes or calls."""
    step, name = operations[number], str(operations[number].argval)
    if step.opname in _GLOBAL:
        found.globals[_chain(operations, number)] = None
    elif step.opname in _OUTER and name in shared:
        found.outer[_chain(operations, number)] = None
    elif _is_variable(step) and name in arguments:
        found.arguments[_chain(operations, number)] = None
    elif step.opname == "IMPORT_NAME":
        found.imports[name] = None
    elif step.opname in {"STORE_GLOBAL", "DELETE_GLOBAL"}:
        _problem(found, f"writes the global `{name}`")
    elif step.opname in {"STORE_DEREF", "DELETE_DEREF"} and name in shared:
        _problem(found, f"writes the variable `{name}` of the function around it")
    elif step.opname in _ATTRIBUTE and leads_around(name):
        _problem(found, f"looks at .{name}")
    elif _is_method(step) and why_method(name):
        _problem(found, f"calls .{name}(), which {why_method(name)}")
    elif step.opname in _STORE_INTO:
        _written(found, operations[_target(operations, number)], shared, arguments)


def _is_variable(step: dis.Instruction) -> bool:
    """Whether a variable is read; one that an inner function reads too is read as an outer one."""
    return step.opname.startswith("LOAD_FAST") or step.opname in _OUTER


def _problem(found: CodeFacts, problem: str) -> None:
    found.problem = found.problem or problem


def _is_method(step: dis.Instruction) -> bool:
    """Whether an attribute is taken to be called at once; from Python 3.12 the lowest bit says so."""
    return step.opname == "LOAD_METHOD" or (
        step.opname == "LOAD_ATTR" and sys.version_info >= (3, 12) and bool((step.arg or 0) & 1)
    )


def _chain(operations: Sequence[dis.Instruction], start: int) -> Chain:
    """A name and the attributes that are taken from it at once."""
    return (str(operations[start].argval), *_attributes(operations, start + 1))


def _attributes(operations: Sequence[dis.Instruction], start: int) -> Iterator[str]:
    for step in operations[start:]:
        if step.opname not in _ATTRIBUTE:
            return
        yield str(step.argval)


def changing(chain: Chain, least: int) -> str:
    """How a chain of attributes changes what it starts from, such as `.add()`; empty where it does not."""
    return f".{chain[-1]}()" if len(chain) >= least and chain[-1] in _MUTATING else ""


def _written(
    found: CodeFacts,
    target: dis.Instruction,
    shared: frozenset[str],
    arguments: Sequence[str],
) -> None:
    name = str(target.argval)
    if target.opname in _GLOBAL and "NULL" not in target.argrepr:  # with NULL it is a call's function
        _problem(found, f"changes its global `{name}`")
    elif target.opname in _OUTER and name in shared:
        _problem(found, f"changes the variable `{name}` of the function around it")
    elif _is_variable(target) and name in arguments:
        found.writes.add(name)


def _target(operations: Sequence[dis.Instruction], number: int) -> int:
    """Where the expression starts that an operation stores into: `a` in `a.b[c] = d`."""
    end = number - 1
    if operations[end].opname == "SWAP":  # += copies what it stores into
        while end > 0 and operations[end].opname != "COPY":
            end -= 1
        while end > 0 and operations[end].opname == "COPY":
            end -= 1
    if operations[number].opname.endswith("SUBSCR"):
        end = _start(operations, end) - 1
    return _start(operations, end)


def _start(operations: Sequence[dis.Instruction], end: int) -> int:
    """Where the expression starts that ends at an operation, by what each one leaves on the stack."""
    depth, number = 0, end
    while number > 0:
        step = operations[number]
        depth += dis.stack_effect(step.opcode, step.arg if step.opcode >= dis.HAVE_ARGUMENT else None)
        if depth >= 1:
            return number
        number -= 1
    return number
