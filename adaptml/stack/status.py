"""`adaptml status`: each container's health and version, and the disk that the stack uses."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adaptml.stack.compose import Stack, docker
from adaptml.stack.folders import size_bytes


@dataclass(frozen=True)
class Status:
    """What the stack is doing.

    Attributes:
        containers: a line each: name, health or state, image with its version, memory, and since when.
        volumes: name → size as Docker writes it.
        folders: folder of this machine → size of its files in bytes.
        engine: versions of the engine and of Compose.
    """

    containers: list[tuple[str, str, str, str, str]]
    volumes: dict[str, str]
    folders: dict[str, int]
    engine: str


def status(stack: Stack) -> Status:
    """Ask Docker how the stack is."""
    found = sorted(stack.containers(), key=lambda container: str(container["Service"]))
    memory = _memory([str(c["Name"]) for c in found if c["State"] == "running"])
    lines = [
        (str(c["Name"]), health(c), str(c["Image"]), memory.get(str(c["Name"]), ""), str(c["RunningFor"]))
        for c in found
    ]
    mine = {volume["name"] for volume in stack.config().get("volumes", {}).values()}
    listing = json.loads(docker("system", "df", "--verbose", "--format", "{{json .Volumes}}"))
    volumes = {volume["Name"]: volume["Size"] for volume in listing if volume["Name"] in mine}
    engine = docker("version", "--format", "engine {{.Server.Version}}").strip()
    compose = docker("compose", "version", "--short").strip()
    folders = {str(path): size_bytes(path) for path in stack.folders.values() if path.is_dir()}
    return Status(lines, dict(sorted(volumes.items())), folders, f"{engine}, Compose {compose}")


def health(container: dict[str, Any]) -> str:
    """One word for how a container is, as Compose describes it."""
    return str(container.get("Health") or container["State"])


def _memory(names: list[str]) -> dict[str, str]:
    if not names:
        return {}
    printed = docker("stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}", *names)
    return {
        name: used.split("/")[0].strip()
        for name, used in (line.split("\t") for line in printed.split("\n") if line)
    }


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell and two spaces.

    >>> aligned([("a", "b"), ("long", "c")])
    ['a     b', 'long  c']
    """
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    return [
        "".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
