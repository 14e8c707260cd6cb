"""Classes: a library's by name and version, a person's own by the code and the values in them."""

import functools
import sys
import types
from enum import Enum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from dataprogramming.fingerprints.errors import Uncertain
from dataprogramming.fingerprints.outside import why_method, why_outside
from dataprogramming.fingerprints.pieces import Pieces

if TYPE_CHECKING:
    from dataprogramming.fingerprints.walker import Walker

_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement, or by a call such as make_dataclass
# Of a class's own names, those that follow from the others, or say where it stands.
_LEFT_OUT = {
    *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__annotations__", "_abc_impl"),
    *("__abstractmethods__", "__orig_bases__", "__parameters__", "__signature__", "__class_vars__"),
    *("__firstlineno__", "__static_attributes__", "__annotate__", "__annotate_func__"),
    *("__annotations_cache__", "__slotnames__", "__private_attributes__", "__classdictcell__"),
}
# They get an object that nobody else has yet.
_MAKERS = {
    *("__init__", "__post_init__", "__new__", "__setstate__", "__set_name__", "__init_subclass__"),
    "__attrs_post_init__",
}


def named(walker: "Walker", thing: Any) -> bytes | None:
    """A library's function or class as its full name and the library's version.

    Returns:
        None for a person's own, and for what a library makes when it is called.

    Raises:
        Uncertain: a library's whose answers cannot be relied on.
    """
    module, path = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    home = walker.library(module)
    if home is None or not isinstance(module, str) or not isinstance(path, str):
        return None
    if _found(module, path) is not thing and not _is_compiled(thing):
        return None
    why = why_outside(f"{module}.{path}") or ("." in path and why_method(path.rpartition(".")[2]))
    if why:
        raise Uncertain(f"is {module}.{path}, which {why}")
    return f"named {module}.{path} of {home}".encode()


def _is_compiled(thing: object) -> bool:
    """Whether a function or class is of a library's compiled code, whatever its name leads to."""
    return isinstance(thing, types.BuiltinFunctionType) or (
        isinstance(thing, type) and not thing.__flags__ & _HEAP
    )


def _found(module: str, path: str) -> object:
    """What stands under a name, with no code run to find it."""
    found: Any = sys.modules.get(module)
    for name in path.split("."):
        try:
            found = vars(found).get(name)
        except TypeError:  # no module, no class
            return None
    return found.__func__ if isinstance(found, staticmethod | classmethod) else found


def put_class(walker: "Walker", out: Pieces, cls: type) -> None:
    """Write a class."""
    by_name = named(walker, cls)
    if by_name is not None:
        out.append(by_name)
        return
    out += [b"class", cls.__qualname__.encode()]
    walker.items(out, "bases", cls.__bases__)
    walker.visit(out, type(cls), "its metaclass")
    own = dict(vars(cls))
    if issubclass(cls, Enum):
        members = cls.__members__
        walker.pairs(out, "members", [(name, member._value_) for name, member in members.items()])
        own = {name: value for name, value in own.items() if name not in members and not _sunder(name)}
    if issubclass(cls, BaseModel):
        own = _of_model(cls, own)
    for name in own.keys() & _MAKERS:
        walker.may_write.add(id(getattr(own[name], "__func__", own[name])))
    _put_names(walker, out, own)


def _put_names(walker: "Walker", out: Pieces, own: dict[str, Any]) -> None:
    for name in sorted(own.keys() - _LEFT_OUT):
        out.append(name.encode())
        if isinstance(own[name], types.MemberDescriptorType):  # a slot: its name is all
            out.append(b"slot")
        else:
            walker.visit(out, own[name], f"its `{name}`")


def _sunder(name: str) -> bool:
    return name.startswith("_") and name.endswith("_") and not name.startswith("__")


def _of_model(cls: type[BaseModel], own: dict[str, Any]) -> dict[str, Any]:
    """A model's own names, without what pydantic makes of them; its fields count with their defaults."""
    decorators: Any = cls.__pydantic_decorators__
    kinds = ("validators", "field_validators", "root_validators", "model_validators")
    if any(getattr(decorators, kind, None) for kind in kinds):
        raise Uncertain(f"is the model {cls.__qualname__}, whose validators cannot be compared")
    kept = {name: value for name, value in own.items() if not name.startswith("__pydantic_")}
    return kept | {"model_fields": dict(cls.model_fields)}


def put_property(walker: "Walker", out: Pieces, value: property) -> None:
    """Write a property: the functions behind it."""
    out.append(b"property")
    for part in (value.fget, value.fset, value.fdel):
        walker.visit(out, part, "its function")


def put_wrapped(walker: "Walker", out: Pieces, value: Any) -> None:
    """Write a static or a class method: the function in it."""
    out.append(type(value).__name__.encode())
    walker.visit(out, value.__func__, "its function")


def put_cached_property(walker: "Walker", out: Pieces, value: "functools.cached_property[Any]") -> None:
    """Write a cached property: its function."""
    out.append(b"cached_property")
    walker.visit(out, value.func, "its function")
