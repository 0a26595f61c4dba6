"""What is written by hand: look, scripts, components and the lock file."""

from __future__ import annotations

import json
import re
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest

from webforms.shell.assets import drawn

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "webforms" / "static"
FRONTEND = ROOT / "webforms" / "frontend"
TEMPLATES = ROOT / "webforms" / "templates"
CSS = (STATIC / "app.css").read_text("utf-8")
OWN = [
    TEMPLATES / "base.html",
    *sorted((TEMPLATES / "components").glob("*.html")),
    TEMPLATES / "admin" / "modeler.html",
    TEMPLATES / "shell" / "styles.html",
]
ICONS = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text("utf-8")))


def rendered(name: str, **context: object) -> str:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    env = jinja2.Environment(
        loader=loader,
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=jinja2.StrictUndefined,
    )
    env.install_null_translations(newstyle=True)
    env.globals.update(
        asset=lambda file: f"/static/{file}",
        icon=partial(drawn, "/static/icons.svg"),
        url_for=lambda _e, filename: f"/static/{filename}",
        has_asset=lambda _name: True,
        get_flashed_messages=lambda **_: [("success", "<已保存>")],
    )
    frame = {
        "nav": [(f"入口{i}", f"/{i}", "inbox", "3" if i else "", i == 0) for i in range(6)],
        "me": ("王<小>兰", "镇经办"),
        "csrf": "token",
        "csp_nonce": "n",
        "campaign": "冬春救助",
        "clock": "2026-01-04 09:00",
        "elder": False,
        "svg": None,
        "icon_names": sorted(ICONS),
    }
    return env.get_template(name).render(**frame | context)


class Tags(HTMLParser):
    """Opening tags with their attributes; complains about tags that are never closed."""

    VOID = frozenset(["input", "meta", "link", "img", "br", "hr", "use", "path"])

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag, tag


PAGES = [
    ("shell/styles.html", {}),
    ("shell/styles.html", {"me": None, "nav": (), "clock": None, "elder": True}),
    (
        "admin/modeler.html",
        {
            "definition": {"name": "救助", "key": "relief", "version": 2},
            "xml": "</script><x/>",
            "xml_url": None,
            "catalogue": {"forms": [{"id": "a", "name": "</script>"}]},
            "urls": {"validate": "/v", "draft": "/d", "publish": "/p", "back": "/b"},
            "needs_second": True,
        },
    ),
]


def test_the_lock_names_no_host_and_pins_everything() -> None:
    text = (FRONTEND / "package-lock.json").read_text("utf-8")
    assert "://" not in text
    assert "resolved" not in text
    packages = json.loads(text)["packages"]
    assert all("integrity" in p for name, p in packages.items() if name and not p.get("link"))


def test_the_direct_dependencies_are_exact() -> None:
    package = json.loads((FRONTEND / "package.json").read_text("utf-8"))
    versions = [*package["dependencies"].values(), *package["devDependencies"].values()]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", v) for v in versions)


def test_every_custom_property_is_defined() -> None:
    used = set(re.findall(r"var\((--[\w-]+)", CSS))
    assert used <= set(re.findall(r"(--[\w-]+)\s*:", CSS))


def test_dark_mode_redefines_every_colour() -> None:
    light = CSS[CSS.index(":root {") : CSS.index("--fs: 14px")]
    dark = CSS[CSS.index("prefers-color-scheme: dark") : CSS.index("@layer base")]
    same_in_both = {"--warm"}
    assert set(re.findall(r"(--[\w-]+):", light)) - same_in_both <= set(
        re.findall(r"(--[\w-]+):", dark)
    )


def contrast(a: str, b: str) -> float:
    """WCAG 2.2 contrast ratio of two hex colours."""

    def light(colour: str) -> float:
        digits = colour.lstrip("#")
        digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(a), light(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("ink", "bg"),
        ("ink", "card"),
        ("ink-2", "bg"),
        ("ink-2", "card"),
        ("ink-2", "mute-soft"),
        ("ink-2", "hover"),
        ("brand", "card"),
        ("brand", "brand-soft"),
        ("on-brand", "brand"),
        ("ok", "ok-soft"),
        ("warn", "warn-soft"),
        ("bad", "bad-soft"),
        ("bad", "card"),
    ],
)
def test_text_is_readable_on_its_ground(mode: str, text: str, ground: str) -> None:
    split = CSS.index("prefers-color-scheme: dark")
    part = CSS[:split] if mode == "light" else CSS[split : CSS.index("@layer base")]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", part))
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize(("name", "context"), PAGES)
def test_pages_are_balanced_and_ids_unique(name: str, context: dict[str, object]) -> None:
    page = Tags(rendered(name, **context))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert page.open == []
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("name", "context"), PAGES)
def test_pages_pass_a_strict_policy(name: str, context: dict[str, object]) -> None:
    text = rendered(name, **context)
    for tag, attributes in Tags(text).tags:
        assert not [a for a in attributes if a == "style" or a.startswith(("on", "hx-on"))], tag
        if tag == "script":
            assert attributes.get("src") or attributes.get("type") == "application/json"
    assert "javascript:" not in text
    assert text.count("</script>") == text.count("<script")


@pytest.mark.parametrize(("name", "context"), PAGES)
def test_every_form_that_posts_carries_the_token(name: str, context: dict[str, object]) -> None:
    forms = re.findall(r'<form[^>]*method="post".*?</form>', rendered(name, **context), re.DOTALL)
    assert forms
    assert all('name="csrf_token"' in form for form in forms)


@pytest.mark.parametrize(("name", "context"), PAGES)
def test_every_control_has_a_name_to_speak(name: str, context: dict[str, object]) -> None:
    text = rendered(name, **context)
    labelled = set(re.findall(r'<label for="([^"]+)"', text))
    for tag, attributes in Tags(text).tags:
        if tag in {"input", "select", "textarea"} and attributes.get("type") != "hidden":
            inside = re.search(rf'<label[^>]*><{tag}[^>]*value="{attributes.get("value")}"', text)
            assert attributes.get("id") in labelled or attributes.get("aria-label") or inside


def test_texts_are_escaped() -> None:
    text = rendered("shell/styles.html")
    assert "王&lt;小&gt;兰" in text
    assert "&lt;已保存&gt;" in text


@pytest.mark.parametrize("path", OWN, ids=lambda p: p.name)
def test_every_icon_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    named = set(re.findall(r"icon\('([\w-]+)'", text)) | set(re.findall(r"symbol='([\w-]+)'", text))
    assert named <= ICONS


def test_errors_link_to_fields_that_exist() -> None:
    text = rendered("shell/styles.html")
    summary = text[text.index('id="errors"') : text.index("</ul>", text.index('id="errors"'))]
    links = re.findall(r'href="#([^"]+)"', summary)
    assert links
    assert all(f'id="{target}"' in text for target in links)


def due(days: int | None, **more: object) -> str:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    env = jinja2.Environment(loader=loader, autoescape=True, extensions=["jinja2.ext.i18n"])
    env.install_null_translations(newstyle=True)
    env.globals["icon"] = partial(drawn, "/static/icons.svg")
    source = '{% from "components/page.html" import due_badge %}{{ due_badge(days, **more) }}'
    return env.from_string(source).render(days=days, more=more)


@pytest.mark.parametrize(
    ("days", "words", "tone"),
    [
        (3, "剩 3 个工作日", ""),
        (1, "剩 1 个工作日", "warn"),
        (0, "今日到期", "warn"),
        (-2, "超期 2 个工作日", "bad"),
        (None, "不限时", ""),
    ],
)
def test_a_deadline_is_said_in_words_and_tone(days: int | None, words: str, tone: str) -> None:
    badge = due(days)
    assert words in badge
    assert (re.search(r'class="due ?(\w*)"', badge) or [""] * 2)[1] == tone


def test_a_paused_deadline_says_so_whatever_is_left() -> None:
    assert "已暂停" in due(-2, paused=True)
    assert "超期" not in due(-2, paused=True)


@pytest.mark.parametrize(
    "path", [STATIC / "app.js", *sorted((FRONTEND / "src").rglob("*.js*"))], ids=lambda p: p.name
)
def test_scripts_evaluate_nothing(path: Path) -> None:
    assert not re.search(
        r"\beval\(|new Function|innerHTML|insertAdjacentHTML", path.read_text("utf-8")
    )


def test_the_panel_knows_the_whole_vocabulary() -> None:
    moddle = json.loads((FRONTEND / "src" / "modeler" / "moddle.json").read_text("utf-8"))
    groups = (FRONTEND / "src" / "modeler" / "groups.js").read_text("utf-8")
    assert moddle["uri"] == "urn:nuanliu:bpmn:1"
    for kind in moddle["types"]:
        assert f"'nl:{kind['name']}'" in groups
        for attribute in kind["properties"]:
            assert re.search(rf"'{attribute['name']}'", groups), (kind["name"], attribute["name"])


def test_styles_stay_small() -> None:
    assert len(CSS.encode()) < 26_000
    assert len((STATIC / "app.js").read_bytes()) < 16_000
