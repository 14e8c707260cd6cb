"""What the host must have before the stack starts: what was expected, what was found, how to fix it."""

import re
import shutil
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from adaptml.errors import listed
from adaptml.stack.addresses import PUBLISHED
from adaptml.stack.compose import PINNED_IMAGES, PROJECT_FILE, Stack, StackError, docker, variables_of
from adaptml.stack.folders import is_writable

MIN_ENGINE = 25  # the first whose health checks can be frequent while a container starts
MIN_COMPOSE = (2, 24)
MIN_FREE_DISK_GB = 10.0
MIN_MAP_COUNT = 262_144  # CrateDB's own bootstrap check
GB = 1e9
# What each service needs at rest and at work, in GB; measured, and rounded up. crate-db: its heap, twice.
MEMORY_GB = {
    "portal": 0.3,
    "label-studio-web": 0.6,
    "label-studio-dev": 0.5,
    "dp-mlflow": 1.0,
    "dp-mlflow-gpu": 3.0,
    "modelling-mlflow": 0.8,
    "modelling-mlflow-deploy": 0.6,
    "dask-scheduler": 0.2,
    "dask-worker": 1.0,
    "dp-mlflow-db": 0.2,
    "dp-mlflow-server": 0.5,
    "modelling-mlflow-db": 0.2,
    "modelling-mlflow-server": 0.5,
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: what it is about.
        ok: whether it is as expected.
        expected: what the stack needs.
        found: what there is.
        fix: what to do about it.
    """

    what: str
    ok: bool
    expected: str
    found: str
    fix: str


def check_host(stack: Stack, services: Sequence[str]) -> list[Finding]:
    """Look at everything that these services need of the host; the later checks need the first two."""
    findings = [check_engine(), check_compose()]
    if not all(finding.ok for finding in findings):
        return findings
    findings += [check_user(stack), check_memory(stack, services), check_disk(), check_pins(stack)]
    if "portal" in services:
        findings.append(check_tasks(stack))
    if "crate-db" in services and "crate" in stack.get("CRATE_IMAGE", "crate"):
        findings.append(check_map_count())
    return [*findings, *check_ports(stack, services)]


def check_engine() -> Finding:
    """The Docker engine answers and is new enough."""
    expected = f"Docker Engine {MIN_ENGINE} or newer, running"
    fix = "install or start Docker, and see that you may use it (on Linux: the group docker)"
    return _version(
        "engine", expected, fix, (MIN_ENGINE,), lambda: docker("version", "--format", "{{.Server.Version}}")
    )


def check_compose() -> Finding:
    """Compose V2 is there and new enough."""
    expected = f"Docker Compose {MIN_COMPOSE[0]}.{MIN_COMPOSE[1]} or newer"
    fix = "install Docker's Compose plugin; docker-compose with a hyphen is the old one"
    return _version("compose", expected, fix, MIN_COMPOSE, lambda: docker("compose", "version", "--short"))


def _version(what: str, expected: str, fix: str, minimum: tuple[int, ...], ask: Callable[[], str]) -> Finding:
    try:
        found = ask().strip()
    except StackError as error:
        return Finding(what, False, expected, str(error), fix)
    numbers = tuple(int(part) for part in re.findall(r"\d+", found)[: len(minimum)])
    return Finding(what, numbers >= minimum, expected, found, fix)


def check_user(stack: Stack) -> Finding:
    """The user that containers run as can read and write the caller's files."""
    return user_finding(docker("info", "--format", "{{.SecurityOptions}}"), stack.owner)


def user_finding(security: str, owner: tuple[int, int]) -> Finding:
    """What is to be said of that user.

    In a rootless engine the caller is user 0 of the containers, and every other number is a stranger.

    Args:
        security: the engine's security options.
        owner: user and group that containers run as.
    """
    rootless, (uid, gid) = "name=rootless" in security, owner
    expected = "APP_UID=0, for the engine is rootless" if rootless else "any"
    return Finding(
        "user", not rootless or uid == 0, expected, f"APP_UID={uid}, APP_GID={gid}",
        "set APP_UID=0 and APP_GID=0 in .env.dev: in containers of a rootless engine that is you",
    )  # fmt: skip


def check_tasks(stack: Stack) -> Finding:
    """The page's container can write the tasks."""
    uid, gid = stack.owner
    folders = [stack.tasks, *(file.parent for file in sorted(stack.tasks.glob("*/task.yaml")))]
    refused = [folder for folder in folders if not is_writable(folder, stack.owner)]
    found = f"{listed(refused)} not writable by that user" if refused else "writable"
    return Finding(
        "tasks", not refused, f"folders that user {uid}:{gid} may write, as whom the page runs", found,
        f"sudo chown -R {uid}:{gid} {stack.tasks}, or start without the profile portal",
    )  # fmt: skip


def check_pins(stack: Stack) -> Finding:
    """The builds that images are pinned to are of the tags that `.env` names today."""
    tags, pins = (variables_of([stack.root / name]) for name in (PROJECT_FILE, PINNED_IMAGES))
    old = [pin for name, pin in pins.items() if pin.partition("@")[0] != tags.get(name)]
    return Finding(
        PINNED_IMAGES, not old, f"the tags of {PROJECT_FILE}", listed(old) if old else "the same",
        f"run docker/pin-images.sh, or delete {PINNED_IMAGES}",
    )  # fmt: skip


def check_memory(stack: Stack, services: Sequence[str]) -> Finding:
    """The engine's machine has the memory that the services need together."""
    needed = sum(MEMORY_GB.get(service, 0.0) for service in services)
    if "dask-worker" in services:
        needed += (int(stack.get("SCALE_WORKERS", "2")) - 1) * MEMORY_GB["dask-worker"]
    if "crate-db" in services:
        needed += 2 * size_gb(stack.get("CRATE_HEAP_SIZE", "1g"))
    total = int(docker("info", "--format", "{{.MemTotal}}")) / GB
    return Finding(
        "memory", total >= needed, f"{needed:.1f} GB", f"{total:.1f} GB",
        "give Docker more memory, lower CRATE_HEAP_SIZE in .env.dev, or start fewer profiles",
    )  # fmt: skip


def check_disk() -> Finding:
    """The disk of the engine has room for images and data."""
    folder = Path(docker("info", "--format", "{{.DockerRootDir}}").strip())
    # Docker Desktop's engine lives in a virtual machine, whose folders are not ours to see.
    looked_at = folder if folder.is_dir() else Path.cwd()
    free = shutil.disk_usage(looked_at).free / GB
    return Finding(
        "disk", free >= MIN_FREE_DISK_GB, f"{MIN_FREE_DISK_GB:.0f} GB free", f"{free:.0f} GB at {looked_at}",
        "free some, such as with `docker system prune`, or move Docker's folder",
    )  # fmt: skip


def check_map_count(path: Path = Path("/proc/sys/vm/max_map_count")) -> Finding:
    """The kernel lets CrateDB map as many files as its bootstrap check wants."""
    found = int(path.read_text(encoding="ascii")) if path.is_file() else None
    return Finding(
        "vm.max_map_count", found is None or found >= MIN_MAP_COUNT, f"{MIN_MAP_COUNT} or more",
        "not to be seen here" if found is None else str(found),
        f"sudo sysctl -w vm.max_map_count={MIN_MAP_COUNT}, and in /etc/sysctl.d/ to keep it",
    )  # fmt: skip


def check_ports(stack: Stack, services: Sequence[str]) -> list[Finding]:
    """The ports of services that do not run yet are free."""
    running = {found["Service"] for found in stack.containers() if found["State"] == "running"}
    findings = []
    for service, place in PUBLISHED.items():
        if service in services and service not in running:
            port = place.bound_port(stack)
            free = is_free(place.bound(stack), port)
            findings.append(
                Finding(
                    f"port {port}", free, f"free, for {service}", "free" if free else "taken",
                    f"stop what listens there, or set {place.port} in .env.dev",
                )
            )  # fmt: skip
    return findings


def is_free(host: str, port: int) -> bool:
    """Whether nothing listens on a port of an address."""
    host = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - compared, not bound
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) != 0


def size_gb(text: str) -> float:
    """A size as Java and Docker write it, in GB.

    >>> size_gb("512m")
    0.512

    Raises:
        StackError: it is not such a size.
    """
    found = re.fullmatch(r"(\d+)([kmg]?)b?", text.strip().lower())
    if found is None:
        raise StackError(f"{text!r} is no size; expected such as 512m or 2g")
    return int(found[1]) * {"": 1e-9, "k": 1e-6, "m": 1e-3, "g": 1.0}[found[2]]


def images_missing(stack: Stack, services: Sequence[str]) -> list[str]:
    """Those of the services whose image is ours and is not built yet."""
    configured = stack.config()["services"]
    missing = []
    for service in services:
        if "build" in configured[service]:
            try:
                docker("image", "inspect", configured[service]["image"])
            except StackError:
                missing.append(service)
    return missing
