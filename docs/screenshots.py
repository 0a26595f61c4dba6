"""Makes the pictures of the manuals: ``python docs/screenshots.py [folder]``.

The demonstration county is built in a throw-away folder, its clock stands at the beginning of the
story, so that the pictures change only when the pages do. Needs Debian's chromium and a Chinese
font (`make browser`).
"""
# ruff: noqa: INP001  # a script beside the manuals, not a package

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from engine import SYSTEM, ProcessEngine
from tests.journeys.browser import CHROMIUM, DESKTOP, PHONE, Hands
from tests.journeys.demo_site import Site, prepare, serve

IMAGES = Path(__file__).parent / "images"
#: days the clock is moved on before the board of what is late is looked at
LATE = 6
#: enough for pages; a third of the bytes
COLOURS = 256
#: rounds in which the colours are made to fit: without them a single red figure turns brown
ROUNDS = 4


class Album:
    """Takes one picture after the other."""

    def __init__(self, chromium: Any, site: Site, folder: Path) -> None:
        self._chromium, self._site, self._folder = chromium, site, folder

    @property
    def engine(self) -> ProcessEngine:
        """The engine behind the pages."""
        return self._site.engine

    def sit(self, size: tuple[int, int] = DESKTOP, login: str = "") -> Hands:
        """At a screen, logged in where a login is given."""
        hands = Hands(self._chromium, self._site, self._folder, size)
        return hands.login(login) if login else hands


def village(album: Album) -> None:
    """What a village does on its phone."""
    clerk = album.sit(PHONE, "wangjianfu").shoot("phone-worklist")
    clerk.open("登记或导入").follow("登记一户").shoot("phone-household")
    panel = album.sit(DESKTOP, "limeifu").open("民主评议")
    panel.shoot("appraisal")
    album.sit(DESKTOP, "wuyoumei").open("村内张贴").shoot("notice-posting")


def citizen(album: Album) -> None:
    """What anybody sees."""
    hands = album.sit(PHONE).go("/public/notices").follow("河湾村").shoot("phone-public-notice")
    hands.follow("我有异议").shoot("phone-objection")


def town_and_county(album: Album) -> None:
    """The desks."""
    album.sit(DESKTOP, "guohaimei").go("/tasks").shoot("worklist")
    album.sit(DESKTOP, "guohaimei").open("受理并核查").shoot("objection-review")
    album.sit(DESKTOP, "wanglin").go("/instances").shoot("cases")


def safety(album: Album) -> None:
    """Institutions and inspectors."""
    album.sit(PHONE, "jiangtao").open("逐项自查").shoot("phone-selfcheck")
    inspector = album.sit(DESKTOP, "zhaoming").open("现场复查").shoot("recheck")
    inspector.go("/hazards").shoot("ledger")
    inspector.go("/hazards/rounds").follow("2026年冬季").shoot("coverage")


def administrators(album: Album) -> None:
    """Models, people, calendar."""
    admin = album.sit(DESKTOP, "xitong").go("/admin/definitions").shoot("definitions")
    admin.go("/admin/definitions/hazard_item/modeler")
    admin.tab.wait_for_selector("#studio[data-ready]")
    admin.tab.evaluate(
        "() => window.studio.get('selection').select("
        "window.studio.get('elementRegistry').get('rectify'))"
    )
    admin.tab.select_option("#bio-properties-panel-nl-task-role", "")
    admin.tab.locator("[data-studio=validate]").click()
    admin.tab.locator(".finding").first.wait_for()
    admin.shoot("modeler")
    admin.go("/admin/calendar").shoot("calendar")
    album.sit(DESKTOP, "anquan").go("/admin/people").shoot("people")


def by_hand(album: Album) -> None:
    """The way of a finding on the diagram; a task taken back; a jump that the law forbids."""
    admin = album.sit(DESKTOP, "xitong").go("/admin/definitions/hazard_selfcheck/modeler")
    admin.tab.wait_for_selector("#studio[data-ready]")
    admin.tab.evaluate(
        "() => window.studio.get('bpmnReplace').replaceElement("
        "window.studio.get('elementRegistry').get('both_done'), {type: 'bpmn:ExclusiveGateway'})"
    )
    admin.tab.locator("[data-studio=validate]").click()
    admin.tab.locator(".finding:has(.way)").first.click()
    admin.shoot("modeler-path")
    tasks, cases = album.engine.tasks, album.engine.runtime
    village = next(
        row
        for row in cases.instances(SYSTEM, process_key="relief_village", limit=50).rows
        if "village_notice" in row.waiting_at
    )
    token = next(
        one for one in cases.jump_desk(village.id, SYSTEM).tokens if one.node_id == "village_notice"
    )
    admin.go(f"/admin/instances/{village.id}/jump?element={token.element}&to=submit").shoot("jump")
    clerk = album.engine.identity.by_login("wangjianfu")
    assert clerk is not None
    actor = album.engine.identity.actor(clerk.id)
    task = next(
        row for row in album.engine.worklist.page(actor).rows if row.activity_id == "register"
    )
    tasks.complete(task.id, actor)
    hands = album.sit(DESKTOP, "wangjianfu").go(f"/instances/{task.instance_id}")
    hands.tab.locator("details:has(form[action$=withdraw]) summary").click()
    hands.shoot("withdraw")


def moving(album: Album) -> None:
    """A new version of a process, and what becomes of the cases under way."""
    repository = album.engine.repository
    old = repository.latest("relief_village")
    package = repository.package(old.id)
    model = package.files[package.bpmn].decode()
    # The registration gets another id and the visit another deadline.
    model = re.sub(
        r'((?:id|sourceRef|targetRef|bpmnElement)=")register"', r'\1register_house"', model
    )
    model = re.sub(
        r'(?:differentFrom|returns)="[^"]*"',
        lambda found: re.sub(r"\bregister\b", "register_house", found[0]),
        model,
    )
    model = re.sub(
        r'(<bpmn:userTask id="visit".*?deadline=")[^"]*',
        r"\g<1>3wd",
        model,
        count=1,
        flags=re.DOTALL,
    )
    kept = {path: file for path, file in package.files.items() if "scenarios/" not in path}
    files = {**kept, package.bpmn: model.encode()}
    new = repository.deploy(replace(package, files=files, version_tag="2.0", policies=()), SYSTEM)
    admin = album.sit(DESKTOP, "xitong")
    way = f"/admin/definitions/relief_village/move?from={old.id}&to={new.id}"
    admin.go(way).shoot("move-preview")
    admin.go(f"{way}&map.register=register_house")
    admin.tab.fill("#reason", "登记改为逐户办理")
    admin.tab.click("#carry-out [data-submit]")
    with admin.tab.expect_navigation():
        admin.tab.click("dialog[open] [data-ok]")
    admin.shoot("move-result")


def later(album: Album) -> None:
    """What the leader sees when time has passed."""
    leader = album.sit(DESKTOP, "lijianguo").go("/tasks")
    for _ in range(LATE):
        leader.press("＋1 天")
    leader.go("/monitor/overdue").shoot("overdue")


#: in this order: the last one moves the clock
CHAPTERS: tuple[Callable[[Album], None], ...] = (
    village,
    citizen,
    town_and_county,
    safety,
    administrators,
    by_hand,
    moving,
    later,
)


def shrink(picture: Path) -> None:
    """Keep fewer colours."""
    with Image.open(picture) as found:
        small = found.convert("RGB").quantize(
            COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=ROUNDS, dither=Image.Dither.NONE
        )
    small.save(picture, optimize=True)


def main() -> int:
    """Write every picture into the folder; 1 when there is no browser."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=IMAGES)
    folder = parser.parse_args().folder
    if CHROMIUM is None:
        sys.stderr.write("chromium is not installed: make browser\n")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        prepared = prepare(Path(scratch) / "prepared")
        with serve(prepared, Path(scratch) / "site") as site, sync_playwright() as driver:
            chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for chapter in CHAPTERS:
                chapter(Album(chromium, site, folder))
            chromium.close()
    for picture in sorted(folder.glob("*.png")):
        shrink(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
