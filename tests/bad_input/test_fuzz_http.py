"""Whatever is sent, the answer is words: no failure, no hang, nothing changed by what was refused.

The API by its own description (schemathesis makes the requests, right ones and wrong ones), the
pages by every POST route there is with random fields; by a clerk and by an approver.
"""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import url_for
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests.bad_input import demo_county
from tests.bad_input.conftest import READING
from tests.bad_input.demo_county import TABLES
from tests.pages.api_client import BASE, token_of
from webforms.api import openapi, views
from webforms.shell import limits

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 2.0
DOCUMENT = openapi.document(views.ROUTES)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {
    found.ok().definition.raw["operationId"]: found.ok() for found in SCHEMA.get_all_operations()
}
#: a clerk of a village, an approver of the county, who sees to the system
PEOPLE = ("wanglin", "guohaimei", "xitong")
NAMES = sorted(
    {
        name
        for path in ROOT.glob("webforms/**/*.py")
        for name in re.findall(
            r"(?:form|files|values)(?:\.get|\.getlist)?[(\[]\"(\w+)\"", path.read_text()
        )
    }
)
#: they end the session, move the clock of the whole county or are for nobody with a login
NOT_POSTED = {"auth.logout", "auth.login_submit", "demo.move", "auth.password_submit"}


@pytest.fixture(scope="module")
def county(built_county, tmp_path_factory):
    yield from demo_county.opened(built_county, tmp_path_factory.mktemp("fuzz"))


@pytest.fixture(scope="module")
def tokens(county):
    logins = {row.login: row.id for row in county.rows("participant")}
    return {login: token_of(county.app, logins[login]) for login in PEOPLE}


@pytest.fixture(scope="module")
def ids(county):
    """Real ids of everything, so that not every request ends at “not found”."""
    return {name: county.ids(name)[:50] for name in TABLES}


def many(quick: int, whole: int) -> Any:
    """Examples of a route: some in every run, more behind the slow marker."""
    slow = pytest.param(
        whole, marks=[pytest.mark.slow, pytest.mark.huge, pytest.mark.timeout(1800)]
    )
    return pytest.mark.parametrize("examples", [quick, slow])


def tried(examples: int) -> Any:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


class Watched:
    """Looks whether anything was written between two moments, cheaply; counts rows if so."""

    def __init__(self, county: Any) -> None:
        # A connection of its own, outside of every transaction: it must hold nobody up.
        file = county.engine.database.engine.url.database
        self.connection = sqlite3.connect(file, isolation_level=None)
        self.rows: dict[str, int] = {}
        self.at = -1

    def version(self) -> int:
        """Rises with every commit of anybody else."""
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    def counted(self) -> dict[str, int]:
        listed = self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = [name for (name,) in listed if name not in READING]
        return {
            name: self.connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for name in names
        }

    @contextmanager
    def request(self) -> Any:
        """Counts again after whatever was accepted; what was refused must change no count."""
        if self.at != self.version():
            self.rows, self.at = self.counted(), self.version()
        seen: list[int] = []
        began = time.thread_time()
        yield seen
        took = time.thread_time() - began
        assert took < SECONDS, f"{took:.1f} s"
        if seen[0] >= 400 and self.version() != self.at:
            assert self.counted() == self.rows, "a refused request changed something"


@pytest.fixture(scope="module")
def watched(county):
    found = Watched(county)
    yield found
    found.connection.close()


@many(6, 60)
@pytest.mark.parametrize("name", OPERATIONS)
def test_the_api_answers_whatever_is_sent_in_words(name, examples, county, tokens, ids, watched):
    operation = OPERATIONS[name]
    client = county.app.test_client()
    right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    places = {
        key: st.sampled_from(ids[key])
        for key in re.findall(r"{(\w+)}", operation.path)
        if ids.get(key)
    }

    @tried(examples)
    @given(
        case=right | wrong,
        who=st.sampled_from(PEOPLE),
        real=st.fixed_dictionaries(places),
        usual=st.booleans(),
    )
    def ask(case, who, real, usual) -> None:
        if usual:
            case.path_parameters = {**(case.path_parameters or {}), **real}
        sent = case.as_transport_kwargs(base_url=f"http://localhost{BASE}")
        headers = {str(k): str(v) for k, v in sent["headers"].items() if str(v).isascii()}
        headers["Authorization"] = f"Bearer {tokens[who]}"
        body = {key: sent[key] for key in ("json", "data") if sent.get(key) is not None}
        limits.install(county.app)
        with watched.request() as seen:
            answer = client.open(
                sent["url"].removeprefix("http://localhost"),
                method=sent["method"],
                query_string=sent.get("params"),
                headers={k: v for k, v in headers.items() if "\n" not in v and "\r" not in v},
                **body,
            )
            seen.append(answer.status_code)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.mimetype == "application/problem+json"
            assert answer.json["code"]

    ask()


def posts(county) -> list[Any]:
    return [
        rule
        for rule in county.app.url_map.iter_rules()
        if "POST" in rule.methods
        and rule.endpoint not in NOT_POSTED
        and not rule.endpoint.startswith("api.")
    ]


VALUES = st.one_of(
    st.text(max_size=60),
    st.integers(-(10**12), 10**12).map(str),
    st.decimals(allow_nan=True).map(str),
    st.dates().map(str),
    st.sampled_from(
        ("", "1", "2", "²", "true", "agree", "submit", "return", "delegate", "yes", "9" * 5000,
         "349898101201", "349898102000", "x" * 20_000, "[" * 5_000, '{"a": [1]}', "a\x00b",
         "2026-01-05", "0001-01-01", "9999-12-31", "1e999999", "../..", "'; DROP TABLE seat;--")
    ),
)  # fmt: skip


@many(8, 40)
@pytest.mark.parametrize("who", PEOPLE)
def test_no_form_of_any_page_breaks_it(who, examples, county, ids, watched):
    person = county.person(who)
    token = county.token(who)
    known = [one for each in ids.values() for one in each]
    known += [row.code for row in county.rows("division")]
    values = VALUES | st.sampled_from(known)
    fields = sorted(
        {f"f-{key}" for key in ("name", "amount", "reason", "members-0-who", "note", "opinion")}
        | set(NAMES)
    )

    for rule in posts(county):
        places = st.fixed_dictionaries(
            {
                key: st.sampled_from(ids[key]) if ids.get(key) else st.sampled_from(("x", "²"))
                for key in rule.arguments
                if key not in (rule.defaults or {}) and key != "verb"
            }
        )

        @tried(examples)
        @given(
            place=places,
            verb=st.sampled_from(("suspend", "resume", "terminate", "disable", "enable")),
            data=st.dictionaries(
                st.sampled_from(fields), st.lists(values, min_size=1, max_size=3), max_size=8
            ),
        )
        def post(rule, place, verb, data) -> None:
            if "verb" in rule.arguments:
                place = {**place, "verb": verb}
            try:
                with county.app.test_request_context():
                    path = url_for(rule.endpoint, **place)
            except (ValueError, LookupError):
                return
            with watched.request() as seen:
                answer = person.client.post(path, data={**data, "csrf_token": token})
                seen.append(answer.status_code)
            assert answer.status_code < 500, f"{path} {sorted(data)}"
            assert answer.status_code in {200, 204, 303, 400, 403, 404, 405, 409, 413, 422, 429}, (
                path
            )

        post(rule=rule)
