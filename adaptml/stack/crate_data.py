"""Which CrateDB wrote the stack's data: a newer one converts them as it starts, and there is no way back."""

import re

from adaptml.stack.checks import Finding
from adaptml.stack.compose import Stack, StackError, docker

VERSION_FILE = (
    "crate-version"  # beside the data; docker/entry-crate-db.sh writes it as soon as the server answers
)
BEFORE = (5, 10)  # no later version was in the stack before it wrote that file
_VERSION = re.compile(r"(\d+)\.(\d+)(\.\d+)*")


def check_crate_data(stack: Stack) -> Finding:
    """The data of `crate-db` are of the version that is about to start, or there are none.

    Raises:
        StackError: Docker cannot run the image.
    """
    config = stack.config()
    service = config["services"]["crate-db"]
    store = next(mount for mount in service["volumes"] if mount["target"] == "/data")
    source = config["volumes"][store["source"]]["name"] if store["type"] == "volume" else store["source"]
    return finding(service["image"], _looked_at(source, service["image"]))


def finding(image: str, looked_at: str) -> Finding:
    """What is to be said of data.

    Args:
        image: the image that is about to start.
        looked_at: the version that was noted beside them; where there is none, the name of any file; empty
            where there are no data.
    """
    image = image.partition("@")[0]  # what its tag is pinned to
    starts, noted = _version(image.rpartition(":")[2]), _version(looked_at)
    wrote = noted or (BEFORE if looked_at else None)
    said = f"written by {looked_at if noted else 'one of 5.10 or before'}" if wrote else "none"
    if starts is None:  # such as `latest`: nothing can be said
        return Finding("data of crate-db", True, f"of {image}", said, "")
    fix = (
        f"save them with `adaptml backup FOLDER`, for {image} converts them as it starts and there is no way "
        "back; then start with --force"
        if wrote is None or wrote < starts
        else f"no older one reads them: set CRATE_IMAGE=crate:{looked_at} in .env.dev"
    )
    expected = f"none, or written by CrateDB {starts[0]}.{starts[1]}"
    return Finding("data of crate-db", wrote in {None, starts}, expected, said, fix)


def _version(text: str) -> tuple[int, int] | None:
    found = _VERSION.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def _looked_at(source: str, image: str) -> str:
    """The noted version, or else the name of a file; a volume that does not exist is not made by asking."""
    if not source.startswith("/"):
        try:
            docker("volume", "inspect", source)
        except StackError:
            return ""
    look = f"cd /data && (cat {VERSION_FILE} 2>/dev/null || ls -A | head -n 1)"
    return docker(
        "run", "--rm", "--user", "0", "--network", "none", "--volume", f"{source}:/data:ro",
        "--entrypoint", "bash", image, "-c", look,
    ).strip()  # fmt: skip
