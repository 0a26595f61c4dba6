"""An installation in a temporary folder with a small process, its cast, and browsers that check."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine import SYSTEM, ProcessEngine, TravellingClock, clock
from tests.pages import relief_office
from webforms.app import create_app
from webforms.database import db
from webforms.settings import Settings
from webforms.shell import accounts, roles
from workflows import manifest
from workflows.domain import division

PASSWORD = "Warm-winter-2026"
CITY, COUNTY = "349800000000", "349898000000"
TOWN, OTHER_TOWN = "349898101000", "349898102000"
VILLAGE, OTHER_VILLAGE = "349898101201", "349898102201"
FAR_VILLAGE = "349797101201"
PLACES = {
    CITY: "安岭市",
    COUNTY: "暖河县",
    TOWN: "柳河镇",
    OTHER_TOWN: "石桥镇",
    VILLAGE: "河湾村",
    OTHER_VILLAGE: "石桥村",
    FAR_VILLAGE: "远山村",
}
#: login → name, seats
CAST = {
    "wang": ("王经办", (("village_clerk", VILLAGE),)),
    "wu": ("吴经办", (("village_clerk", VILLAGE),)),
    "head": ("何主任", (("village_head", VILLAGE),)),
    "li": ("李审核", (("town_clerk", TOWN),)),
    "leader": ("林镇长", (("town_leader", TOWN),)),
    "zhao": ("赵检查", (("inspector", CITY),)),
    "sun": ("孙外人", (("village_clerk", FAR_VILLAGE),)),
    "admin": ("管理员", (("sys_admin", COUNTY),)),
    "guard": ("安全员", (("sec_admin", COUNTY),)),
    "auditor": ("审计员", (("audit_admin", COUNTY),)),
}
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=clock.LOCAL_ZONE)


class Browser:
    """One person's browser: logs in, follows redirects, and looks at every page it gets."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.page: TestResponse | None = None

    def login(self, name: str, password: str = PASSWORD) -> Browser:
        self.get("/login")
        self.post("/login", {"login": name, "password": password})
        return self

    def get(self, path: str, *, status: int = 200) -> Browser:
        return self._seen(self.client.get(path, follow_redirects=True), status)

    def post(
        self,
        path: str,
        data: dict[str, object] | None = None,
        *,
        status: int = 200,
        follow: bool = True,
    ) -> Browser:
        sent = {"csrf_token": self.token(), **(data or {})}
        answer = self.client.post(
            path,
            data=sent,
            follow_redirects=follow,
            content_type="multipart/form-data",
        )
        return self._seen(answer, status)

    def token(self) -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.html)
        return found[1] if found else ""

    @property
    def html(self) -> str:
        return self.page.get_data(as_text=True) if self.page else ""

    @property
    def text(self) -> str:
        """The words of the main part, tags and blanks dropped."""
        main = self.html.partition("<main")[2].partition("</main>")[0]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))

    def hidden(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.html)
        assert found, f"no hidden field {name}"
        return found[1]

    def _seen(self, answer: TestResponse, status: int) -> Browser:
        self.page = answer
        assert answer.status_code == status, f"{answer.status_code}: {self.text[:400]}"
        if answer.mimetype == "text/html" and answer.status_code not in {204, 303}:
            check_page(answer)
        return self


def check_page(answer: TestResponse) -> None:
    """Strict HTML, a title, a label for each input, a token in each form, the policy in the head."""
    html = answer.get_data(as_text=True)
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe-eval" not in policy
    assert "script-src 'self' 'nonce-" in policy
    parser = html5lib.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("etree"))
    fragment = "<html" not in html[:200]
    tree = parser.parseFragment(html) if fragment else parser.parse(html)
    names = [element for element in tree.iter() if isinstance(element.tag, str)]
    tags = {id(element): element.tag.rpartition("}")[2] for element in names}
    if not fragment:
        titles = [e for e in names if tags[id(e)] == "title"]
        assert titles
        assert (titles[0].text or "").strip()
    labelled = {e.get("for") for e in names if tags[id(e)] == "label"}
    inside = {
        id(child) for e in names if tags[id(e)] == "label" for child in e.iter() if child is not e
    }
    for element in names:
        assert element.get("style") is None, "a style attribute"
        assert not [a for a in element.attrib if a.startswith("on")], "an inline handler"
        if tags[id(element)] in {"input", "select", "textarea"}:
            _check_labelled(element, labelled, inside)
        if tags[id(element)] == "form" and (element.get("method") or "").lower() == "post":
            inputs = {child.get("name") for child in element.iter()}
            assert "csrf_token" in inputs, f"no token in form {element.get('action')}"
        if tags[id(element)] == "script" and not element.get("src"):
            assert element.get("type") == "application/json", "an inline script"
    ids = [e.get("id") for e in names if e.get("id")]
    doubled = {one for one in ids if ids.count(one) > 1}
    assert not doubled, f"ids twice: {doubled}"


def _check_labelled(element: object, labelled: set[str | None], inside: set[int]) -> None:
    if element.get("type") in {"hidden", "submit"}:
        return
    named = (
        element.get("id") in labelled
        or id(element) in inside
        or element.get("aria-label")
        or element.get("aria-labelledby")
    )
    assert named, f"no label for {element.get('name')}"


@pytest.fixture
def travelling() -> TravellingClock:
    return TravellingClock(NOW)


@pytest.fixture
def wall() -> TravellingClock:
    return TravellingClock(NOW)


def settings_in(folder: Path) -> Settings:
    """Settings of an installation in this folder."""
    return Settings(
        data=folder,
        database_url=f"sqlite:///{folder / 'pages.db'}",
        secret_key="s" * 40,
        vault_key="v" * 40,
        argon2_memory_kib=8,
        argon2_rounds=1,
        testing=True,
    )


def engine_of(settings: Settings, travelling: TravellingClock) -> ProcessEngine:
    """The engine of an installation."""
    return ProcessEngine(
        settings.database_url, clock=travelling, files=settings.files, observers=roles.OBSERVERS
    )


def welcome(application: Flask) -> None:
    """Accounts for the cast, and the places where they work."""
    with application.app_context():
        for login in CAST:
            accounts.create(login, login, PASSWORD)
        with db.session.begin():
            for code, name in PLACES.items():
                division.add(db.session(), code, name)


def let_go(application: Flask) -> None:
    """Close the connections of the pages."""
    with application.app_context():
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation with the cast and the sample process, to be copied."""
    settings = settings_in(tmp_path_factory.mktemp("installation"))
    standing = TravellingClock(NOW)
    engine = engine_of(settings, standing)
    engine.create_schema()
    engine.repository.deploy(manifest.load(Path(__file__).parent / "sample"), SYSTEM)
    for login, (name, seats) in CAST.items():
        engine.identity.create_participant(login, name=name, login=login)
        for role, unit in seats:
            engine.identity.assign_seat(login, role, unit)
    application = create_app(settings, engine=engine, clock=standing, wall=standing)
    welcome(application)
    let_go(application)
    engine.close()
    return settings.data


@pytest.fixture
def bpm(
    installation: Path, settings: Settings, travelling: TravellingClock
) -> Iterator[ProcessEngine]:
    shutil.copytree(installation, settings.data, dirs_exist_ok=True)
    engine = engine_of(settings, travelling)
    yield engine
    engine.close()


@pytest.fixture
def app(
    bpm: ProcessEngine, settings: Settings, travelling: TravellingClock, wall: TravellingClock
) -> Iterator[Flask]:
    application = create_app(settings, engine=bpm, clock=travelling, wall=wall)
    yield application
    let_go(application)


@pytest.fixture
def browser(app: Flask) -> Callable[[], Browser]:
    return lambda: Browser(app)


@pytest.fixture
def as_(browser: Callable[[], Browser]) -> Callable[[str], Browser]:
    """A browser in which this member of the cast is logged in."""
    return lambda name: browser().login(name)


@pytest.fixture
def case(bpm: ProcessEngine) -> str:
    """A case of Wang's village that waits for its registration."""
    return bpm.runtime.start(
        "sample",
        bpm.identity.actor("wang"),
        variables={"name": "张三", "town": TOWN},
        region=VILLAGE,
        title="张三的临时救助",
    )


@pytest.fixture
def task(bpm: ProcessEngine, case: str) -> str:
    """The open task of that case."""
    page = bpm.worklist.page(bpm.identity.actor("wang"))
    return page.rows[0].id


@pytest.fixture(scope="session")
def winter_template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    folder = tmp_path_factory.mktemp("winter")
    return folder, relief_office.build(folder, to_payment=False)


@pytest.fixture(scope="session")
def paying_template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    folder = tmp_path_factory.mktemp("paying")
    return folder, relief_office.build(folder, to_payment=True)


@pytest.fixture
def winter(
    winter_template: tuple[Path, datetime], tmp_path: Path
) -> Iterator[relief_office.Office]:
    """The demonstration county on its first day: notices hang, villages register."""
    yield from relief_office.opened(*winter_template, tmp_path, Browser)


@pytest.fixture
def paying(
    paying_template: tuple[Path, datetime], tmp_path: Path
) -> Iterator[relief_office.Office]:
    """The county with one town's bank file at the bank."""
    yield from relief_office.opened(*paying_template, tmp_path, Browser)
