"""The screenshots of docs/dashboard.md, made anew: python -m tests.browser.pictures."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import ARGUMENTS, MISSING, executable
from tests.browser.scene import Scene, open_scene
from tests.browser.visit import DESKTOP, LAPTOP, PHONE, Visit

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
MOST_BYTES = 200_000
"""Of one picture."""
SETTLED = "!document.body.innerText.includes('loading …')"


def shots(scene: Scene) -> Iterator[tuple[str, str, tuple[int, int], str]]:
    """Yield the name, screen, size and colours of each picture."""
    training, waiting = scene.jobs["pretraining"], scene.jobs["detector-large"]
    yield "overview", "overview", DESKTOP, "light"
    yield "nodes", "nodes?colour=tenant", DESKTOP, "dark"
    yield "queues", "queues", LAPTOP, "light"
    yield "jobs", "jobs", DESKTOP, "dark"
    yield "job-waiting", f"jobs/{waiting}", LAPTOP, "light"
    yield "job-running", f"jobs/{training}", LAPTOP, "dark"
    yield "job-loss", f"jobs/{scene.jobs['training']}?tab=curve", LAPTOP, "light"
    yield "job-logs", f"jobs/{scene.jobs['training']}?tab=logs", LAPTOP, "dark"
    yield "admin", "admin?part=tokens", LAPTOP, "light"
    yield "phone-jobs", "jobs", PHONE, "light"
    yield "phone-nodes", "nodes", PHONE, "dark"


def main() -> None:
    """Take them all; raises SystemExit where there is no browser or one is too large."""
    if executable() is None:
        raise SystemExit(MISSING)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open_scene(Path(folder)) as scene, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        for name, screen, size, theme in shots(scene):
            path = FOLDER / f"{name}.png"
            take(browser, scene, path, screen=screen, size=size, theme=theme)
            print(f"{path.relative_to(FOLDER.parents[1])}: {path.stat().st_size // 1000} kB")  # noqa: T201
            if path.stat().st_size > MOST_BYTES:
                raise SystemExit(f"{path} is larger than {MOST_BYTES} bytes")
        browser.close()


def take(browser: Browser, scene: Scene, path: Path, **looks: Any) -> None:
    """Take one."""
    visit = Visit(browser, scene.address, scene.tokens["operator"], **looks)
    visit.page.get_by_role("heading", level=1).wait_for()
    if looks["screen"] == "overview":
        for number in range(3):
            scene.submit("language", {"name": f"evaluation-{number}", "chips": "ascend-910b3", "workers": number + 1})
            visit.until(
                f"[...document.querySelectorAll('td')].some((cell) => cell.innerText === 'evaluation-{number}')"
            )
            visit.page.wait_for_timeout(1500)
    visit.until(SETTLED)
    visit.page.wait_for_timeout(1200)
    visit.page.screenshot(path=path)
    visit.close()


if __name__ == "__main__":
    main()
