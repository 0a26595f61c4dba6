"""Hands on a real browser: logs in, fills what is visible, notices every complaint and overflow."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

from tests.journeys.demo_site import Site

DESKTOP, PHONE = (1440, 900), (390, 844)
CHROMIUM = shutil.which("chromium") or (
    "/usr/bin/chromium" if Path("/usr/bin/chromium").is_file() else None
)
#: the browser itself writes down every answer that is an error; that is not a fault of the page
ANSWERED = re.compile(r"the server responded with a status of (409|422)")


def shots(fallback: Path) -> Path:
    """Where pictures go: NUANLIU_SHOTS, else a folder that is thrown away."""
    folder = Path(os.environ.get("NUANLIU_SHOTS") or fallback)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Hands:
    """One person at one screen."""

    def __init__(self, chromium: Any, site: Site, folder: Path, size: tuple[int, int]) -> None:
        self.site, self.folder = site, folder
        width, height = size
        self.context = chromium.new_context(
            viewport={"width": width, "height": height},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            device_scale_factor=1,
            is_mobile=width < 700,
            has_touch=width < 700,
        )
        self.complaints: list[str] = []
        self.wide: list[str] = []
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(15_000)
        self.tab.on("console", self._heard)
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"} and not ANSWERED.search(message.text):
            self.complaints.append(f"{self.tab.url}: {message.text}")

    # --- going somewhere ---------------------------------------------------------------------

    def login(self, login: str) -> Hands:
        self.go("/login")
        self.tab.fill("#login", login)
        self.tab.fill("#password", self.site.password)
        self.tab.click("form.login [data-submit]")
        self.tab.wait_for_url(lambda url: "/login" not in url)
        return self

    def go(self, path: str) -> Hands:
        answer = self.tab.goto(self.site.url + path)
        assert answer is None or answer.status < 400, f"{answer.status} {path}"
        return self.look()

    def open(self, step: str, about: str = "") -> Hands:
        """Open my task at this step from the worklist."""
        self.go("/tasks")
        rows = self.tab.locator("tbody tr").filter(has_text=step).filter(has_text=about)
        rows.first.locator("a").first.click()
        self.tab.wait_for_selector("#task-form", state="attached")
        return self.look()

    def look(self) -> Hands:
        """Remember when the page is wider than the window."""
        inner, scroll = self.tab.evaluate(
            "() => [window.innerWidth, document.documentElement.scrollWidth]"
        )
        if scroll > inner:
            self.wide.append(f"{self.tab.url}: {scroll} > {inner}")
        return self

    # --- doing something ---------------------------------------------------------------------

    def press(self, words: str) -> Hands:
        """A button of the page by the words on it; waits until the answer is there."""
        button = self.tab.get_by_role("button", name=words, exact=True).first
        with self.tab.expect_navigation():
            button.click()
        return self.look()

    def follow(self, words: str) -> Hands:
        with self.tab.expect_navigation():
            self.tab.get_by_role("link", name=words).first.click()
        return self.look()

    def attach(self, selector: str, name: str, content: bytes, kind: str = "image/png") -> Hands:
        upload = {"name": name, "mimeType": kind, "buffer": content}
        self.tab.set_input_files(selector, [upload])
        return self

    def says(self, words: str) -> Hands:
        text = self.tab.inner_text("body")
        assert words in text, f"“{words}” is not in: {text[:600]}"
        return self

    def shoot(self, name: str, *, whole: bool = False) -> Hands:
        """A picture, after pictures and fonts have come."""
        self.tab.evaluate("() => document.fonts.ready")
        self.tab.evaluate("() => window.scrollTo(0, 0)")
        self.tab.wait_for_timeout(150)
        self.tab.screenshot(path=self.folder / f"{name}.png", full_page=whole)
        return self.look()

    def close(self) -> None:
        self.context.close()
