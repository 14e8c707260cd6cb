"""A page in a real browser: Chromium, logged in, that fails a test on what its console says."""

import os
import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import OPTIONS, chromium
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from portal_server import Portal, served_page

from adaptml import example_project
from adaptml.project import Project

TIMEOUT_MS = 90_000  # a machine that does other things too; what comes is not waited for
SERIOUS = ("serious", "critical")
SHOTS = os.environ.get("SCREENSHOTS", "")  # a folder for pictures, in light and in dark


@pytest.fixture(
    scope="module"
)  # playwright's event loop runs until it is closed: no other test may need one of its own
def browser() -> Iterator[Browser]:
    program = chromium()
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield made
        made.close()


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small example's folder: made once, copied for each test."""
    folder = tmp_path_factory.mktemp("example") / "project"
    folder.mkdir()
    example_project(folder).close()
    return folder


@pytest.fixture
def project(example: Path, tmp_path: Path) -> Iterator[Project]:
    """A copy of the small example."""
    folder = tmp_path / "project"
    shutil.copytree(example, folder)
    # A Label Studio of this machine is none of the test's.
    (folder / ".env.dev").write_text("ADAPTML_LABEL_STUDIO_URL=http://127.0.0.1:9\n", encoding="utf-8")
    with Project(folder) as made:
        yield made


@pytest.fixture
def portal(project: Project) -> Iterator[Portal]:
    """The page of the copy, served."""
    with served_page(project) as made:
        yield made


@pytest.fixture
def context(browser: Browser, portal: Portal) -> Iterator[BrowserContext]:
    """A browser's profile, logged in."""
    made = browser.new_context(base_url=portal.url, viewport={"width": 1400, "height": 900})
    made.set_default_timeout(TIMEOUT_MS)
    name, value = portal.cookie()
    cookie = {"name": name, "value": value, "url": portal.url, "httpOnly": True, "sameSite": "Strict"}
    made.add_cookies([cookie])  # type: ignore[list-item]
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab; what its console calls an error, and what its policy stops, fails the test in the end.

    A test that makes an answer fail on purpose empties `page.said`.
    """
    made = context.new_page()
    said: list[str] = []
    made.said = said  # type: ignore[attr-defined]
    made.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    made.on("pageerror", lambda error: said.append(str(error)))
    yield made
    assert said == []


@pytest.fixture(scope="session")
def assert_accessible() -> Callable[[Page], None]:
    """axe finds nothing serious on the page that a tab shows."""
    axe = Axe()

    def check(page: Page) -> None:
        found = axe.run(page).response["violations"]
        bad = [
            f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
            for one in found
            if one["impact"] in SERIOUS
        ]
        assert bad == []

    return check


@pytest.fixture(scope="session")
def shot() -> Callable[..., None]:
    """Write the tab's picture, in light and in dark, where SCREENSHOTS names a folder."""

    def take(page: Page, name: str, *, full_page: bool = False) -> None:
        if not SHOTS:
            return
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            image = Image.open(BytesIO(page.screenshot(full_page=full_page)))
            few = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)  # a third of the size
            few.save(Path(SHOTS) / f"{name}_{scheme}.png", optimize=True)
        page.emulate_media(color_scheme="light")

    return take
