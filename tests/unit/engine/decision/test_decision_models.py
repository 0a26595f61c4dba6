"""Requirement graphs, knowledge models, services, boxed expressions, imports and refusals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bpmn.dmn import DecisionModel, DmnFileError, model_from_xml
from engine.decision.errors import DecisionError, FeelLimitError, NoSuchDecision, RemarkKind

D = Decimal
NAMESPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def xml(body: str, *, name: str = "m", namespace: str = "urn:m") -> str:
    return (
        f'<definitions xmlns="{NAMESPACE}" id="{name}" name="{name}" namespace="{namespace}">'
        f"{body}</definitions>"
    )


def decision(name: str, logic: str, *requires: str, kind: str = "", identity: str = "") -> str:
    typed = f' typeRef="{kind}"' if kind else ""
    needs = "".join(
        f"<knowledgeRequirement><requiredKnowledge href='{one[1:]}'/></knowledgeRequirement>"
        if one.startswith("!")
        else f"<informationRequirement><required{'Input' if 'in_' in one else 'Decision'} "
        f"href='{one}'/></informationRequirement>"
        for one in requires
    )
    return (
        f'<decision id="{identity or name}" name="{name}"><variable name="{name}"{typed}/>'
        f"{needs}{logic}</decision>"
    )


def feel(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return f"<literalExpression><text>{escaped}</text></literalExpression>"


def data(name: str, kind: str = "number") -> str:
    return f'<inputData id="in_{name}" name="{name}"><variable name="{name}" typeRef="{kind}"/></inputData>'


def opened(*parts: str) -> DecisionModel:
    return model_from_xml(xml("".join(parts)))


def test_it_evaluates_what_a_decision_requires_first() -> None:
    model = opened(
        data("base"),
        decision("double", feel("base * 2"), "#in_base"),
        decision("total", feel("double + base"), "#double", "#in_base"),
    )

    found = model.explain("total", {"base": 5})

    assert found.value == D(15)
    assert found.decisions == {"double": D(10), "total": D(15)}
    assert model.evaluate("total", {"base": "5"}) is None


def test_it_hides_what_a_decision_does_not_require() -> None:
    model = opened(data("base"), decision("d", feel("base"), kind="number"))

    found = model.explain("d", {"base": 5})

    assert found.value is None
    assert found.remarks[0].kind is RemarkKind.UNKNOWN_NAME
    assert found.remarks[0].where == "决策“d”"


def test_it_remarks_an_input_that_was_not_given() -> None:
    found = opened(data("base"), decision("d", feel("base + 1"), "#in_base")).explain("d")

    assert found.value is None
    assert "base" in found.remarks[0].message


KNOWLEDGE = (
    '<businessKnowledgeModel id="k" name="rate of"><variable name="rate of"/>'
    '<encapsulatedLogic><formalParameter name="n" typeRef="number"/>'
    f"{feel('if n > 10 then rate of(n - 10) + 1 else n')}"
    "</encapsulatedLogic></businessKnowledgeModel>"
)


def test_it_calls_knowledge_models_also_recursively() -> None:
    model = opened(KNOWLEDGE, decision("d", feel("rate of(25)"), "!#k"))

    assert model.evaluate("d") == D(7)
    assert model.invoke("rate of", {"n": 12}) == D(3)
    assert model.invoke("k", {"n": "x"}) is None


SERVICE = (
    '<decisionService id="s" name="quote"><variable name="quote"/>'
    '<outputDecision href="#total"/><encapsulatedDecision href="#total"/>'
    '<inputDecision href="#double"/><inputData href="#in_base"/></decisionService>'
)


def test_it_invokes_services_with_input_data_before_input_decisions() -> None:
    model = opened(
        data("base"),
        decision("double", feel("base * 2"), "#in_base", kind="number"),
        decision("total", feel("double + base"), "#double", "#in_base"),
        SERVICE,
        decision("d", feel("quote(1, 100)"), "!#s"),
        decision("e", feel("quote(double: 1, base: 100)"), "!#s"),
        decision("f", feel("quote(1)"), "!#s"),
    )

    assert model.invoke("quote", {"base": 1, "double": 100}) == D(101)
    assert model.evaluate("d") == D(101)
    assert model.evaluate("e") == D(101)
    assert model.evaluate("f") is None


ENTRY = "<contextEntry><variable name='a'/>{one}</contextEntry>"
BOXES = [
    (
        f"<context>{ENTRY}<contextEntry><variable name='b c'/>{{two}}</contextEntry></context>",
        {"one": "1", "two": "a + 1"},
        {"a": D(1), "b c": D(2)},
    ),
    (
        f"<context>{ENTRY}<contextEntry>{{two}}</contextEntry></context>",
        {"one": "1", "two": "a + 1"},
        D(2),
    ),
    ("<list>{one}{two}</list>", {"one": "1", "two": "x"}, [D(1), D(4)]),
    (
        "<relation><column name='a'/><column name='b'/><row>{one}{two}</row></relation>",
        {"one": "1", "two": "x"},
        [{"a": D(1), "b": D(4)}],
    ),
    (
        "<conditional><if>{one}</if><then>{two}</then><else>{three}</else></conditional>",
        {"one": "x > 3", "two": '"big"', "three": '"small"'},
        "big",
    ),
    (
        "<filter><in>{one}</in><match>{two}</match></filter>",
        {"one": "[1, 5]", "two": "item > x"},
        [D(5)],
    ),
    (
        "<for iteratorVariable='i'><in>{one}</in><return>{two}</return></for>",
        {"one": "[1, 2]", "two": "i * x"},
        [D(4), D(8)],
    ),
    (
        "<some iteratorVariable='i'><in>{one}</in><satisfies>{two}</satisfies></some>",
        {"one": "[1, 2]", "two": "i > x"},
        False,
    ),
    (
        "<every iteratorVariable='i'><in>{one}</in><satisfies>{two}</satisfies></every>",
        {"one": "[1, 2]", "two": "i < x"},
        True,
    ),
    (
        "<invocation>{one}<binding><parameter name='n'/>{two}</binding></invocation>",
        {"one": "rate of", "two": "x + 8"},
        D(3),
    ),
]


@pytest.mark.parametrize(("box", "texts", "expected"), BOXES)
def test_it_evaluates_boxed_expressions(box: str, texts: dict[str, str], expected: object) -> None:
    logic = box.format(**{name: feel(text) for name, text in texts.items()})
    model = opened(data("x"), KNOWLEDGE, decision("d", logic, "#in_x", "!#k"))

    assert model.problems() == ()
    assert model.evaluate("d", {"x": 4}) == expected


TYPES = (
    '<itemDefinition name="tGrade"><typeRef>string</typeRef>'
    '<allowedValues><text>"A", "B"</text></allowedValues></itemDefinition>'
    '<itemDefinition name="tGrades" isCollection="true"><typeRef>tGrade</typeRef></itemDefinition>'
    '<itemDefinition name="tPerson"><itemComponent name="name"><typeRef>string</typeRef>'
    '</itemComponent><itemComponent name="age"><typeRef>number</typeRef></itemComponent>'
    "</itemDefinition>"
)
COERCIONS = [
    ("tGrade", '"A"', "A"),
    ("tGrade", '"C"', None),
    ("tGrade", '["B"]', "B"),
    ("tGrades", '"A"', ["A"]),
    ("tGrades", '["A", "C"]', None),
    ("tPerson", '{name: "Wang", age: 7, extra: 1}', {"name": "Wang", "age": D(7), "extra": D(1)}),
    ("tPerson", '{name: "Wang"}', None),
    ("date and time", '@"2020-01-01"', datetime(2020, 1, 1, tzinfo=UTC)),
    ("number", '"1"', None),
    ("list<number>", "1", [D(1)]),
]


@pytest.mark.parametrize(("kind", "text", "expected"), COERCIONS)
def test_it_holds_values_to_their_types(kind: str, text: str, expected: object) -> None:
    kind = kind.replace("<", "&lt;")

    model = opened(TYPES, decision("d", feel(text), kind=kind))

    assert model.problems() == ()
    assert model.evaluate("d") == expected


@pytest.mark.parametrize(
    ("kind", "parameters", "body", "called", "said"),
    [
        ("Java", "a", "{class: 1}", "j(1)", "Java"),
        ("FEEL", "aa", "a", "j(1, 2)", "同名"),
    ],
    ids=["written in Java", "two parameters of one name"],
)
def test_it_refuses_a_function_that_cannot_be_called_loudly(
    kind: str, parameters: str, body: str, called: str, said: str
) -> None:
    formal = "".join(f"<formalParameter name='{name}'/>" for name in parameters)
    logic = f"<encapsulatedLogic kind='{kind}'>{formal}{feel(body)}</encapsulatedLogic>"
    model = opened(
        f"<businessKnowledgeModel id='j' name='j'><variable name='j'/>{logic}</businessKnowledgeModel>",
        decision("d", feel(called), "!#j"),
    )

    assert said in model.problems()[0].message
    assert model.evaluate("d") is None


def test_it_lists_what_is_wrong_before_publishing() -> None:
    model = opened(decision("d", feel("1 +")), decision("e", feel("2"), kind="tNowhere"))

    first, second = model.problems()

    assert (first.element, first.line) == ("d", 1)
    assert "第 1 行第 4 列" in first.message
    assert "tNowhere" in second.message
    assert model.evaluate("d") is None
    assert model.evaluate("e") == D(2)


def test_it_imports_a_model_twice_with_inputs_of_its_own(tmp_path: Path) -> None:
    def imports(*names: str, of: str) -> str:
        return "".join(
            f'<import name="{name}" namespace="{of}{"" if of == "urn:a" else name}" importType="{NAMESPACE}"/>'
            for name in names
        )

    (tmp_path / "a.dmn").write_text(
        xml(
            data("who", "string") + decision("greet", feel('"Hello " + who'), "#in_who"),
            name="a",
            namespace="urn:a",
        )
    )
    for name in ("b", "b2"):
        body = imports("A", of="urn:a") + decision("said", feel("A.greet"), "urn:a#greet")
        (tmp_path / f"{name}.dmn").write_text(xml(body, name=name, namespace=f"urn:{name}"))
    top = imports("b", "b2", of="urn:") + decision(
        "both", feel("[b.said, b2.said]"), "urn:b#said", "urn:b2#said"
    )
    (tmp_path / "top.dmn").write_text(xml(top, name="top", namespace="urn:top"))

    model = DecisionModel.from_path(tmp_path / "top.dmn")

    inputs = {"b": {"A": {"who": "Wang"}}, "b2": {"A": {"who": "Li"}}}
    assert model.evaluate("both", inputs) == ["Hello Wang", "Hello Li"]
    assert model.evaluate("both", {"who": "Sun"}) == ["Hello Sun", "Hello Sun"]


REFUSED = [
    ("<definitions/>", "不是 DMN"),
    ("<a><b></a>", "XML 写法有误"),
    ('<!DOCTYPE a [<!ENTITY b "c">]>\n' + xml(""), "DOCTYPE"),
    (xml("<decision id='d' name='d'/><decision id='d' name='e'/>"), "重复的 id"),
    (xml(decision("d", feel("1"), "#nowhere")), "nowhere"),
    (xml(decision("d", feel("e"), "#e") + decision("e", feel("d"), "#d")), "循环"),
    (xml(f'<import name="x" namespace="urn:x" importType="{NAMESPACE}"/>'), "找不到导入"),
    (
        xml(decision("d", "<decisionTable hitPolicy='SOMETIMES'><output/></decisionTable>")),
        "SOMETIMES",
    ),
    (
        xml(decision("d", "<decisionTable><output/>\n<rule><inputEntry/></rule></decisionTable>")),
        "第 2 行",
    ),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_it_refuses_files_that_are_no_models(text: str, words: str) -> None:
    with pytest.raises(DecisionError, match=words):
        model_from_xml(text, file="x.dmn")


def test_it_reads_no_entities(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    text = f'<!DOCTYPE a [<!ENTITY b SYSTEM "file://{secret}">]>' + xml(decision("d", feel("1")))

    with pytest.raises(DmnFileError):
        model_from_xml(text.replace(">1<", ">&b;<"))


def test_it_says_what_there_is_when_asked_for_something_else() -> None:
    with pytest.raises(NoSuchDecision, match="有：d"):
        opened(decision("d", feel("1"))).evaluate("e")


def test_it_shows_tables_without_input_data_what_the_caller_gives() -> None:
    model = opened(decision("d", feel('if season = "Fall" then date else 2')))

    assert model.problems() == ()
    assert model.evaluate("d", {"season": "Fall", "date": 1}) == D(1)


def test_it_says_which_element_is_used_without_being_required() -> None:
    model = opened(
        data("x"),
        decision("d", feel("x + 1")),
        decision("e", feel("[{x: 1}][x = 1].x")),
        decision("f", feel("{x: 1, y: x}.y")),
        decision("g", feel("x"), "#in_x"),
    )

    (problem,) = model.problems()

    assert problem.element == "d"
    assert "“x”" in problem.message
    assert model.evaluate("d", {"x": 1}) is None
    assert model.evaluate("e", {"x": 5}) == [D(1)]


def test_it_sums_numbers_only() -> None:
    rules = "".join(
        f"<rule><inputEntry><text>-</text></inputEntry><outputEntry><text>{cell}</text>"
        "</outputEntry></rule>"
        for cell in ('"a"', '"b"')
    )
    table = (
        "<decisionTable hitPolicy='COLLECT' aggregation='SUM'><input><inputExpression><text>1"
        f"</text></inputExpression></input><output/>{rules}</decisionTable>"
    )

    assert opened(decision("d", table)).evaluate("d") is None


def test_it_refuses_a_result_too_large_to_store() -> None:
    doubled = "for i in 1..60 return if i = 1 then [1] else [partial[-1], partial[-1]]"

    with pytest.raises(FeelLimitError):
        opened(decision("d", feel(doubled))).evaluate("d")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1..3", [D(1), D(2), D(3)]),
        ("x..1", [D(2), D(1)]),
        ("[1..3]", [D(1), D(2), D(3)]),
        ("(1..3]", [D(2), D(3)]),
        ("[x, 5]", [D(2), D(5)]),
        ("1..", None),
    ],
)
def test_it_runs_boxed_loops_over_ranges(text: str, expected: object) -> None:
    loop = f"<for iteratorVariable='i'><in>{feel(text)}</in><return>{feel('i')}</return></for>"

    assert opened(data("x"), decision("d", loop, "#in_x")).evaluate("d", {"x": 2}) == expected
