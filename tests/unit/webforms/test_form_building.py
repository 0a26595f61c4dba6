"""Form definitions: what is read, what is refused, what each field understands."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import orjson
import pytest
from werkzeug.datastructures import MultiDict

from engine import clock
from webforms.forms import binding, predicates, schema
from webforms.forms.builder import compile_form

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=clock.LOCAL_ZONE)


def form(*components, permissions=None, mode="w"):
    content = orjson.dumps({"type": "default", "id": "f", "components": list(components)})
    read = schema.read(content, name="f")
    return compile_form(read, permissions or {}, lambda: NOW, mode=mode)


def field(kind, key="x", **more):
    return {"type": kind, "id": f"c_{key}", "key": key, "label": key, **more}


def typed(plan, values, variables=None):
    posted = MultiDict([(f"f-{key}", value) for key, value in values])
    return binding.bind(plan, variables or {}, posted=posted)


@pytest.mark.parametrize(
    ("component", "sent", "meant"),
    [
        (field("textfield"), "  张三 ", "张三"),
        (field("textfield"), "   ", None),
        (field("number"), "１,２００.50", Decimal("1200.50")),
        (field("number", decimalDigits=0), "12", 12),
        (field("number"), "", None),
        (field("datetime", subtype="date"), "2026-1-4", date(2026, 1, 4)),
        (field("datetime", subtype="date"), "2026/01/04", date(2026, 1, 4)),
        (
            field("datetime", subtype="datetime"),
            "2026-01-04T09:30",
            datetime(2026, 1, 4, 9, 30, tzinfo=clock.LOCAL_ZONE),
        ),
        (field("checkbox"), "true", True),
        (field("select", values=[{"value": 3, "label": "三"}]), "3", 3),
    ],
)
def test_it_reads_what_people_type(component, sent, meant):
    bound = typed(form(component), [("x", sent)])

    assert bound.validate(), bound.faults
    assert bound.data() == {"x": meant}


@pytest.mark.parametrize(
    ("component", "sent", "words"),
    [
        (field("textfield", validate={"required": True}), "", "必填"),
        (field("textfield", validate={"minLength": 3}), "张", "至少填写 3 个字"),
        (field("textfield", validate={"maxLength": 2}), "张三丰", "最多填写 2 个字"),
        (
            field("textfield", validate={"pattern": "^[A-Z]+$", "patternErrorMessage": "只用大写"}),
            "a",
            "只用大写",
        ),
        (field("number"), "很多", "请填写数字"),
        (field("number"), "NaN", "超出范围"),
        (field("number"), "1e400", "超出范围"),
        (field("number", decimalDigits=2), "1.005", "最多 2 位小数"),
        (field("number", decimalDigits=0), "1.5", "整数"),
        (field("number", validate={"min": 1}), "0", "不能小于 1"),
        (field("number", validate={"max": 10}), "10.01", "不能大于 10"),
        (field("datetime", subtype="date"), "2026-02-30", "请填写日期"),
        (field("datetime", subtype="date", disallowPassedDates=True), "2026-01-04", "不能早于今天"),
        (field("checkbox", validate={"required": True}), "", "请勾选"),
        (field("select", values=[{"value": "a", "label": "A"}]), "b", "从列表中选择"),
        (field("textfield", properties={"check": "idcard"}), "123", "18 位"),
        (field("textfield", properties={"check": "mobile"}), "12345", "11 位手机"),
        (field("number", properties={"check": "money"}), "1.234", "最多 2 位小数"),
    ],
)
def test_it_says_in_chinese_what_is_wrong(component, sent, words):
    bound = typed(form(component), [("x", sent)])

    assert not bound.validate()
    assert words in bound.faults[0].message
    assert bound.faults[0].id == "f-x"


def test_what_is_hidden_is_neither_asked_nor_taken():
    kind = field("textfield", "kind")
    other = field(
        "textfield", "other", validate={"required": True}, conditional={"hide": '=kind != "other"'}
    )
    plan = form(kind, other)

    hidden = typed(plan, [("kind", "fire"), ("other", "secret")])
    assert hidden.validate()
    assert hidden.data() == {"kind": "fire", "other": None}

    shown = typed(plan, [("kind", "other"), ("other", "")])
    assert not shown.validate()


def test_conditions_may_depend_on_hidden_fields():
    plan = form(
        field("textfield", "a"),
        field("textfield", "b", conditional={"hide": "=a = null"}),
        field("textfield", "c", conditional={"hide": "=b = null"}, validate={"required": True}),
    )

    bound = typed(plan, [("a", ""), ("b", "x"), ("c", "")])
    assert bound.validate(), bound.faults
    assert bound.data() == {"a": None, "b": None, "c": None}


@pytest.mark.parametrize(("mode", "keys"), [("h", set()), ("r", set()), ("w", {"x"})])
def test_only_what_may_be_written_is_taken(mode, keys):
    plan = form(field("textfield"), permissions={"x": mode})

    assert set(typed(plan, [("x", "new")], {"x": "old"}).data()) == keys


def test_a_permission_of_a_group_counts_for_what_is_in_it():
    group = {
        "type": "group",
        "id": "g",
        "path": "house",
        "components": [field("textfield", "a"), field("textfield", "b")],
    }
    plan = form(group, permissions={"house": "r", "house.b": "w"})

    bound = typed(plan, [("house-a", "x"), ("house-b", "y")], {"house": {"a": "old"}})
    assert "a" not in (bound.data().get("house") or {})


def test_rows_are_lists_of_mappings_with_conditions_of_their_own():
    rows = {
        "type": "dynamiclist",
        "id": "l",
        "path": "people",
        "components": [
            field("number", "age", decimalDigits=0),
            field(
                "textfield",
                "school",
                validate={"required": True},
                conditional={"hide": "=age = null or age >= 18"},
            ),
        ],
    }
    plan = form(rows)

    bound = typed(
        plan, [("people-0-age", "70"), ("people-1-age", "9"), ("people-1-school", "小学")]
    )
    assert bound.validate(), bound.faults
    assert bound.data() == {"people": [{"age": 70, "school": None}, {"age": 9, "school": "小学"}]}


def test_options_come_from_the_case():
    plan = form(field("select", valuesExpression="=for r in regions return {value: r, label: r}"))

    bound = typed(plan, [("x", "b")], {"regions": ["a", "b"]})
    assert bound.validate()
    assert bound.data() == {"x": "b"}


@pytest.mark.parametrize(
    "content",
    [
        b"no json",
        b"[]",
        orjson.dumps({"components": [{"type": "hologram", "id": "h"}]}),
        orjson.dumps({"components": [{"type": "textfield", "id": "t"}]}),
        orjson.dumps({"components": [field("textfield"), field("textfield")]}),
    ],
)
def test_it_refuses_a_definition_it_cannot_render(content):
    with pytest.raises(schema.FormFault):
        schema.read(content, name="f")


@pytest.mark.parametrize(
    ("text", "predicate"),
    [
        ('kind = "fire"', ["=", "f-kind", "fire"]),
        ('kind != "fire" and age >= 18', ["and", ["!=", "f-kind", "fire"], [">=", "f-age", 18]]),
        ('kind in ("a", "b")', ["in", "f-kind", ["a", "b"]]),
        ("not(ok = true)", ["not", ["=", "f-ok", "true"]]),
        ("ok = false", ["not", ["=", "f-ok", "true"]]),
        ("age = null", ["null", "f-age"]),
        (
            '(kind = "a" or kind = "b") and age < 3',
            ["and", ["or", ["=", "f-kind", "a"], ["=", "f-kind", "b"]], ["<", "f-age", 3]],
        ),
    ],
)
def test_the_browser_gets_what_it_can_decide(text, predicate):
    assert predicates.compiled(text, lambda name: f"f-{name}") == predicate


@pytest.mark.parametrize(
    "text", ["count(members) > 2", "today() > since", "unknown.thing", "", 'a = "x" b', "a + 1 = 2"]
)
def test_everything_else_is_asked_of_the_server(text):
    assert predicates.compiled(text, lambda name: f"f-{name}") is None
