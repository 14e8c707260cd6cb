"""Images are pinned to the builds that a real registry says their tags mean."""

import hashlib
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from debian_programs import program_of
from dotenv import dotenv_values

REPOSITORY = Path(__file__).resolve().parents[4]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of an empty registry."""
    program = program_of("docker-registry")
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    stored = {"filesystem": {"rootdirectory": str(folder / "images")}}
    settings = {"version": "0.1", "storage": stored, "http": {"addr": place}}
    (folder / "config.yml").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", folder / "config.yml"], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://{place}/v2/", timeout=10).close()
                break
            except URLError:
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield place
    finally:
        process.kill()
        process.wait()


def put(url: str, content: bytes, kind: str) -> None:
    request = urllib.request.Request(url, content, {"Content-Type": kind}, method="PUT")
    urllib.request.urlopen(request, timeout=30).close()


def pushed(registry: str, image: str, build: str) -> str:
    """Push an image for two machines, and return the digest of both together, which a tag means."""
    name, _, tag = image.partition(":")
    entries = []
    for machine in ("amd64", "arm64"):
        config = json.dumps({"architecture": machine, "os": "linux", "build": build}).encode()
        digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
        start = urllib.request.Request(f"http://{registry}/v2/{name}/blobs/uploads/", b"", method="POST")
        with urllib.request.urlopen(start, timeout=30) as answer:
            place = answer.headers["Location"]
        put(f"{place}&digest={digest}", config, "application/octet-stream")
        described = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest}
        kept = {"schemaVersion": 2, "mediaType": MANIFEST, "layers": []}
        manifest = json.dumps(kept | {"config": described | {"size": len(config)}}).encode()
        digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
        put(f"http://{registry}/v2/{name}/manifests/{digest}", manifest, MANIFEST)
        platform = {"architecture": machine, "os": "linux"}
        entries.append({"mediaType": MANIFEST, "digest": digest, "size": len(manifest), "platform": platform})
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
    put(f"http://{registry}/v2/{name}/manifests/{tag}", index, INDEX)
    return f"sha256:{hashlib.sha256(index).hexdigest()}"


def pin(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script in a folder with an `.env` of its own."""
    (folder / "docker").mkdir(exist_ok=True)
    shutil.copy(REPOSITORY / "docker" / "pin-images.sh", folder / "docker")
    return subprocess.run([folder / "docker" / "pin-images.sh"], capture_output=True, text=True, check=False)


def test_each_tag_is_pinned_to_what_it_means_in_the_registry_now(registry: str, tmp_path: Path) -> None:
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "buildx", "version"], check=False).returncode
    ):
        pytest.skip("NO DOCKER BUILDX: pinning images is not tested; install Docker's command and its buildx")
    digests = {name: pushed(registry, name, "first") for name in ("crate:6.4.3", "team/mariadb:11.8")}
    text = f"API_PORT=80\nCRATE_IMAGE={registry}/crate:6.4.3\nMARIADB_IMAGE={registry}/team/mariadb:11.8\n"
    (tmp_path / ".env").write_text(text)
    done = pin(tmp_path)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "docker" / "images.env"
    assert dotenv_values(file) == {
        "CRATE_IMAGE": f"{registry}/crate:6.4.3@{digests['crate:6.4.3']}",
        "MARIADB_IMAGE": f"{registry}/team/mariadb:11.8@{digests['team/mariadb:11.8']}",
    }
    second = pushed(registry, "crate:6.4.3", "second")
    assert second not in file.read_text()
    assert pin(tmp_path).returncode == 0
    assert f"crate:6.4.3@{second}\n" in file.read_text()

    before = file.read_text()
    (tmp_path / ".env").write_text(f"{text}PYTHON_IMAGE={registry}/python:nosuch\n")
    refused = pin(tmp_path)
    assert refused.returncode != 0
    assert "python:nosuch" in refused.stderr
    assert file.read_text() == before
    assert {path.name for path in file.parent.iterdir()} == {"pin-images.sh", "images.env"}


def test_every_image_that_compose_and_the_dockerfile_start_from_is_in_env() -> None:
    env = dotenv_values(REPOSITORY / ".env")
    compose = (REPOSITORY / "docker-compose.yml").read_text()
    dockerfile = (REPOSITORY / "Dockerfile").read_text()
    starts = [line.split()[1] for line in dockerfile.splitlines() if line.startswith("FROM ")]
    stages = [line.split()[3] for line in dockerfile.splitlines() if line.startswith("FROM ")]
    assert set(starts) - set(stages) == {"${PYTHON_IMAGE}"}
    assert f"ARG PYTHON_IMAGE={env['PYTHON_IMAGE']}\n" in dockerfile
    others = {line.split()[1] for line in compose.splitlines() if line.strip().startswith("image: ")}
    assert {image for image in others if not image.startswith("adaptml/")} == {
        f"${{{name}:-{env[name]}}}" for name in ("CRATE_IMAGE", "MARIADB_IMAGE")
    }
