"""One visit of the dashboard: a browser session with a page, and everything that went wrong on it."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Request

from tests.builders.eventually import eventually

DESKTOP = (1440, 900)
LAPTOP = (1024, 768)
PHONE = (390, 844)
PATIENCE_MS = 60_000
INSIDE = "sessionStorage.setItem('medley-token', {token!r})"


class Visit:
    """A page with its session, logged in where a token is given."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        token: str | None,
        *,
        size: tuple[int, int] = DESKTOP,
        theme: Any = "light",
        screen: str = "",
    ) -> None:
        self.address = address
        self.errors: list[str] = []
        """What the console and the page complained about; a test that provokes some removes them."""
        self.requests: list[Request] = []
        width, height = size
        self._context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
        self._context.set_default_timeout(PATIENCE_MS)
        if token is not None:
            self._context.add_init_script(INSIDE.format(token=token))
        self.page: Page = self._context.new_page()
        self.page.on("console", lambda said: self._complain(said.type, said.text))
        self.page.on("pageerror", lambda error: self._complain("error", str(error)))
        self.page.on("request", lambda request: self.requests.append(request))  # noqa: PLW0108 - Playwright marks it
        self.go(screen)

    def _complain(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.errors.append(f"{self.page.url}: {text}")

    def go(self, screen: str) -> None:
        """Open a screen, such as `jobs?state=queued`."""
        self.page.goto(f"{self.address}/#/{screen}" if screen else f"{self.address}/")

    def see(self, text: str) -> Locator:
        """Wait until a text is in sight; return where it is."""
        found = self.page.get_by_text(text).first
        found.wait_for(state="visible")
        return found

    def until(self, condition: str, within_s: float = PATIENCE_MS / 1000) -> None:
        """Wait until an expression of JavaScript is true; asked from outside: the page itself may run no text."""
        eventually(lambda: bool(self.page.evaluate(condition)), within_s=within_s, what=condition)

    def module(self, path: str, expression: str, argument: Any = None) -> Any:
        """Return what an expression gives that uses `module`, one of the dashboard's own, and `argument`."""
        script = (
            "async ([path, argument]) => { const entry = document.querySelector('script[type=module]').src;"
            f"const module = await import(new URL(path, entry).href); return ({expression}); }}"
        )
        return self.page.evaluate(script, [path, argument])

    def overflow_px(self) -> int:
        """Return by how much the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def close(self) -> None:
        """End the session."""
        self._context.close()


OpenPage = Callable[..., Visit]
"""Opens a page; what it takes is what a visit takes, without the browser."""
