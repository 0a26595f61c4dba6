"""The islands in a real browser: the editor under the strict policy, pages at two widths."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import jinja2
import pytest

from engine.bpmn.layout import with_diagram
from webforms.shell.assets import drawn

playwright = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "webforms" / "static"
TEMPLATES = ROOT / "webforms" / "templates"
CHROMIUM = shutil.which("chromium")
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-n'; style-src 'self'; {} "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; form-action 'self'"
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.assets,
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.skipif(not (STATIC / "dist" / "manifest.json").is_file(), reason="not built"),
]
MODEL = with_diagram(
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:t">'
    '<process id="p" isExecutable="true"><startEvent id="s" name="开始"/>'
    '<userTask id="review" name="审核"/><boundaryEvent id="late" name="超期" attachedToRef="review">'
    "<timerEventDefinition><timeDuration>5wd</timeDuration></timerEventDefinition></boundaryEvent>"
    '<exclusiveGateway id="gate" name="通过？"/><serviceTask id="pay" name="生成批次"/>'
    '<businessRuleTask id="rule" name="测算"/><callActivity id="call" name="公示"/>'
    '<endEvent id="e" name="结束"/><endEvent id="no" name="不予批准"/>'
    '<sequenceFlow id="f1" sourceRef="s" targetRef="review"/>'
    '<sequenceFlow id="f2" sourceRef="review" targetRef="gate"/>'
    '<sequenceFlow id="f3" name="是" sourceRef="gate" targetRef="rule"/>'
    '<sequenceFlow id="f4" name="否" sourceRef="gate" targetRef="no"/>'
    '<sequenceFlow id="f5" sourceRef="rule" targetRef="call"/>'
    '<sequenceFlow id="f6" sourceRef="call" targetRef="pay"/>'
    '<sequenceFlow id="f7" sourceRef="pay" targetRef="e"/>'
    '<sequenceFlow id="f8" sourceRef="late" targetRef="no"/></process></definitions>'
).decode()


def page(name: str) -> str:
    manifest = json.loads((STATIC / "dist" / "manifest.json").read_text("utf-8"))
    loader = jinja2.FileSystemLoader(TEMPLATES)
    env = jinja2.Environment(loader=loader, autoescape=True, extensions=["jinja2.ext.i18n"])
    env.install_null_translations(newstyle=True)
    env.globals.update(
        asset=lambda file: f"/static/{manifest.get(file, file)}",
        icon=partial(drawn, "/static/icons.svg"),
        has_asset=lambda _name: True,
        url_for=lambda _e, filename: f"/static/{filename}",
    )
    catalogue = {"forms": [{"id": "review", "name": "审核表"}], "roles": [], "operations": []}
    return env.get_template(name).render(
        nav=[("待办", "#", "inbox", "12", True)] * 6,
        me=("张红梅", "镇经办"),
        csrf="token",
        csp_nonce="n",
        clock="2026-01-04 09:00",
        campaign="冬春救助",
        xml=MODEL,
        catalogue=catalogue,
        definition={"name": "救助", "key": "relief", "version": 3},
        urls={"validate": "/validate", "draft": "/draft", "publish": "/publish", "back": "#"},
    )


class Handler(BaseHTTPRequestHandler):
    posted: ClassVar[list[tuple[str, str, bytes]]] = []

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""

    def answer(self, body: bytes, kind: str, *, style: str = "") -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY.format(style))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        if self.path.startswith("/static/"):
            path = STATIC / self.path.removeprefix("/static/")
            self.answer(path.read_bytes(), TYPES.get(path.suffix, "application/octet-stream"))
        elif self.path == "/modeler":
            body = page("admin/modeler.html").encode()
            self.answer(body, "text/html", style="style-src-attr 'unsafe-inline';")
        else:
            self.answer(page("shell/styles.html").encode(), "text/html")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.posted.append((self.path, self.headers["X-CSRFToken"], body))
        finding = {"element": "review", "message": "时限太短", "severity": "warning"}
        self.answer(json.dumps({"findings": [finding]}).encode(), "application/json")


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    tab = browser.new_page(viewport={"width": 1440, "height": 900})
    tab.complaints = []
    tab.on(
        "console",
        lambda m: tab.complaints.append(m.text) if m.type in ("error", "warning") else None,
    )
    tab.on("pageerror", lambda e: tab.complaints.append(str(e)))
    yield tab
    tab.close()


def select(tab: Any, element: str) -> None:
    tab.evaluate(
        "(id) => window.studio.get('selection').select("
        "window.studio.get('elementRegistry').get(id))",
        element,
    )


def xml(tab: Any) -> str:
    return str(tab.evaluate("() => window.studio.saveXML({format: true}).then((r) => r.xml)"))


@pytest.fixture
def studio(tab: Any, site: str) -> Any:
    tab.goto(f"{site}/modeler")
    tab.wait_for_selector("#studio[data-ready]")
    return tab


def test_the_editor_writes_our_vocabulary_and_undoes_it(studio: Any) -> None:
    select(studio, "review")
    studio.select_option("#bio-properties-panel-nl-task-form", "review")
    studio.fill("#bio-properties-panel-nl-task-deadline", "5wd")
    studio.press("#bio-properties-panel-nl-task-deadline", "Tab")
    studio.locator('[data-group-id="group-nl-outcomes"] .bio-properties-panel-add-entry').click()
    studio.wait_for_function(
        "() => window.studio.saveXML().then((r) => r.xml.includes('nl:outcome'))"
    )
    assert '<nl:task form="review" deadline="5wd" />' in xml(studio)
    assert '<nl:outcome id="agree" name="同意" tone="primary" />' in xml(studio)
    assert 'xmlns:nl="urn:nuanliu:bpmn:1"' in xml(studio)
    for _ in range(3):
        studio.locator("[data-studio=undo]").click()
    assert "nl:task" not in xml(studio)


def test_the_editor_speaks_chinese_and_obeys_the_policy(studio: Any) -> None:
    for element in ("s", "review", "late", "gate", "rule", "call", "pay", "e", "f3", "f1", "p"):
        select(studio, element)
        studio.locator(".bio-properties-panel-header-type").wait_for()
    assert studio.evaluate("() => [...window.__i18nMisses]") == []
    assert studio.complaints == []


def test_a_finding_leads_to_its_element(studio: Any) -> None:
    Handler.posted.clear()
    studio.locator("[data-studio=validate]").click()
    studio.locator(".finding").click()
    chosen = "() => window.studio.get('selection').get().map((e) => e.id)"
    assert studio.evaluate(chosen) == ["review"]
    ((path, token, body),) = Handler.posted
    assert (path, token) == ("/validate", "token")
    assert b"<bpmn" in body or b"<definitions" in body


def test_publishing_asks_first(studio: Any) -> None:
    Handler.posted.clear()
    studio.locator(".studio-bar [data-studio=publish]").click()
    assert Handler.posted == []
    studio.locator("[data-studio=publish-now]").click()
    studio.locator(".finding").wait_for()
    assert [path for path, _, _ in Handler.posted] == ["/publish"]


def test_nothing_covers_the_mark_of_the_canvas(studio: Any) -> None:
    """The licence of bpmn-js wants its mark fully visible."""
    mark = studio.locator(".bjs-powered-by").bounding_box()
    on_top = studio.evaluate(
        "([x, y]) => !!document.elementFromPoint(x, y)?.closest('.bjs-powered-by')",
        [mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2],
    )
    assert on_top


@pytest.mark.parametrize("width", [1440, 390])
def test_pages_fit_their_width_and_obey_the_policy(tab: Any, site: str, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 844})
    tab.goto(f"{site}/styles")
    tab.wait_for_timeout(200)
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= width
    assert tab.complaints == []


def test_the_keyboard_finds_rows_and_the_search(tab: Any, site: str) -> None:
    tab.goto(f"{site}/styles")
    tab.evaluate("() => document.activeElement.blur()")
    tab.keyboard.press("/")
    assert tab.evaluate("() => document.activeElement.type") == "search"
    tab.evaluate("() => document.activeElement.blur()")
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    assert "1001" in tab.evaluate("() => document.activeElement.closest('tr').textContent")


def test_the_date_is_chosen_in_chinese(tab: Any, site: str) -> None:
    tab.goto(f"{site}/styles")
    tab.fill("#s-date", "20260104")
    tab.press("#s-date", "Tab")
    assert tab.input_value("#s-date") == "2026-01-04"
    tab.click("#s-date")
    assert "2026 年 1 月" in tab.inner_text(".cal")
    tab.click(".cal [aria-label='2026-01-20']")
    assert tab.input_value("#s-date") == "2026-01-20"


def test_a_dependent_field_shows_and_counts_only_when_it_applies(tab: Any, site: str) -> None:
    tab.goto(f"{site}/styles")
    why = "#s-why"
    assert tab.is_hidden(why)
    assert tab.is_disabled(why)
    tab.check("input[name=damaged][value=yes]")
    assert tab.is_visible(why)
    assert tab.is_enabled(why)


def test_it_asks_before_it_sends_back(tab: Any, site: str) -> None:
    tab.goto(f"{site}/styles")
    tab.get_by_role("button", name="退回补正").click()
    assert tab.is_visible("#s-confirm")
    tab.locator("#s-confirm [data-close]").click()
    assert tab.is_hidden("#s-confirm")


@pytest.mark.parametrize("width", [1440, 390])
def test_pages_pass_the_accessibility_rules(tab: Any, site: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    tab.set_viewport_size({"width": width, "height": 844})
    tab.goto(f"{site}/styles")
    tab.evaluate("() => document.head.querySelector('meta[http-equiv]')")
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    result = axe.Axe().run(tab, options=rules)
    problems = [
        (v["id"], [n["html"][:160] for n in v["nodes"][:4]]) for v in result.response["violations"]
    ]
    assert problems == []


def test_a_phone_is_told_that_drawing_needs_a_computer(tab: Any, site: str) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(f"{site}/modeler")
    tab.wait_for_function("() => window.studio")
    assert tab.is_visible(".studio-small")
    assert tab.is_hidden("#studio-canvas")
    assert tab.is_hidden("#studio-status")
    tab.set_viewport_size({"width": 1440, "height": 900})
    tab.wait_for_selector("#studio[data-ready]")
    assert tab.complaints == []
