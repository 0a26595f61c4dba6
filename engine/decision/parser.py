"""FEEL text to a checked syntax tree (DMN 1.5 §10.3.1.2, the whole grammar)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from engine.decision.cursor import MAX_CHAIN
from engine.decision.errors import FeelSyntaxError
from engine.decision.kinds import FeelType
from engine.decision.lexer import TokenKind
from engine.decision.parser_operands import OperandParser
from engine.decision.tree import (
    Between,
    Binary,
    Comparison,
    Failing,
    For,
    FormalParameter,
    Function,
    If,
    Input,
    InstanceOf,
    Iterator,
    Junction,
    Literal,
    Membership,
    Negation,
    Node,
    Operator,
    Quantified,
    Quantifier,
)

_MAX_BRANCHES = 150
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_ADVICE = {
    "==": "相等写成 =",
    "&&": "写成 and",
    "||": "写成 or",
    "!": "写成 not(…)",
    "%": "取余写成 modulo(a, b)",
    "^": "乘方写成 **",
    ";": "FEEL 一次只写一个表达式；要分步就写成 {a: …, b: …}.b",
    ":=": "FEEL 没有赋值，写成 {名称: 值}",
}
_ADVICE_AFTER = {"not": "写成 not(…)", "?": "条件写成 if … then … else …"}


class Parser(OperandParser):
    """Recursive descent; the operands are in `OperandParser`."""

    def whole_expression(self) -> Node:
        """Read one expression and nothing after it. Raises FeelSyntaxError."""
        if self.token.kind is TokenKind.END:
            raise self.error("表达式是空的")
        node = self.expression()
        self._expect_end()
        return node

    def whole_unary_tests(self) -> Node:
        """Read the unary tests of a decision table cell. Raises FeelSyntaxError."""
        at = self.token.start
        if self.at_symbol("-") and self.peek().kind is TokenKind.END:
            return Literal(at=at, value=True)
        negated = self._opens_negated_tests()
        tests = [self.unary_test()]
        while self.take_symbol(","):
            tests.append(self.unary_test())
        if negated:
            self.expect_symbol(")")
        self._expect_end()
        return Membership(
            at=at, operand=Input(at=at), tests=tuple(tests), unary=True, negated=negated
        )

    def whole_type(self) -> FeelType:
        """Read a type and nothing after it. Raises FeelSyntaxError."""
        kind = self.type()
        self._expect_end()
        return kind

    def _opens_negated_tests(self) -> bool:
        """`not(…)` negates the tests when its bracket closes at the very end of the text."""
        if not (self.at_word("not") and self.peek().text == "("):
            return False
        depth = 0
        for index in range(self.index + 1, len(self.tokens) - 1):
            token = self.tokens[index]
            if token.kind is TokenKind.SYMBOL:
                depth += {"(": 1, ")": -1}.get(token.text, 0)
            if depth == 0:
                closes_last = index == len(self.tokens) - 2
                if closes_last:
                    self.index += 2
                return closes_last
        return False

    def unary_test(self) -> Node:
        """Read one test: a comparison without its left side, or an expression."""
        at = self.token.start
        if self.at_symbol(*_COMPARISONS):
            operator = Operator(self.advance().text)
            return Comparison(at=at, operator=operator, end=self.additive())
        return self.expression()

    def _expect_end(self) -> None:
        token = self.token
        if token.kind is TokenKind.END:
            return
        pair = token.text + self.peek().text
        before = self.tokens[self.index - 1].text if self.index else ""
        hint = _ADVICE.get(pair) or _ADVICE.get(token.text) or _ADVICE_AFTER.get(before)
        raise self.unexpected("结尾", hint)

    def expression(self) -> Node:
        """Read any expression."""
        with self.deeper():
            if self.at_symbol(*_COMPARISONS[2:]):
                return self.unary_test()  # §10.3.1.2 rule 2: a test may stand for a range
            reader = self._EXPRESSIONS.get(self.token.text)
            if (
                reader is None
                or self.token.kind is not TokenKind.NAME
                or self.longest() is not None
                or (self.at_word("function") and self.peek().text != "(")
            ):
                return self._junction(conjunction=False)
            return reader(self)

    def _conditional(self) -> Node:
        """Read `if`; a chain of `else if` does not count as nesting."""
        branches: list[tuple[int, Node, Node]] = []
        while True:
            at = self.expect_word("if").start
            condition = self.expression()
            self.expect_word("then", "写成 if 条件 then … else …")
            branches.append((at, condition, self.expression()))
            self.expect_word("else", "if … then … 之后必须有 else")
            if len(branches) > _MAX_BRANCHES:
                raise self.error(f"else if 超过 {_MAX_BRANCHES} 个", hint="改用决策表")
            if not self.at_word("if"):
                break
        node = self.expression()
        for at, condition, then in reversed(branches):
            node = If(at=at, condition=condition, then=then, otherwise=node)
        return node

    def _loop(self) -> Node:
        at = self.advance().start
        iterators = self._iterators()
        self.expect_word("return", "写成 for x in 列表 return 结果")
        self.learn("partial")
        return For(at=at, iterators=iterators, result=self.expression())

    def _quantified(self) -> Node:
        token = self.advance()
        iterators = self._iterators()
        self.expect_word("satisfies", f"写成 {token.text} x in 列表 satisfies 条件")
        return Quantified(
            at=token.start,
            quantifier=Quantifier(token.text),
            iterators=iterators,
            condition=self.expression(),
        )

    def _iterators(self) -> tuple[Iterator, ...]:
        found = [self._iterator()]
        while self.take_symbol(","):
            found.append(self._iterator())
        return tuple(found)

    def _iterator(self) -> Iterator:
        name = self.name_until("in")
        if name is None:
            raise self.unexpected("循环变量和 in")
        self.expect_word("in")
        domain = self.expression()
        last = self.expression() if self.take_symbol("..") else None
        self.learn(name)
        return Iterator(name=name, domain=domain, last=last)

    def _function(self) -> Node:
        at = self.advance().start
        self.expect_symbol("(")
        parameters: list[FormalParameter] = []
        while not self.at_symbol(")"):
            if parameters:
                self.expect_symbol(",")
            name = self.name_until(":", ",", ")")
            if name is None:
                raise self.unexpected("参数名")
            if any(name == parameter.name for parameter in parameters):
                raise self.error(f"参数“{name}”写了两次", hint="每个参数各用一个名字")
            kind = self.type() if self.take_symbol(":") else None
            parameters.append(FormalParameter(name=name, kind=kind))
            self.learn(name)
        self.advance()
        external = self.take_word("external")
        body = self.expression()
        if external is not None:
            body = Failing(at=external.start, message="不执行外部函数，请用 FEEL 写出函数体")
        return Function(at=at, parameters=tuple(parameters), body=body)

    def _junction(self, *, conjunction: bool) -> Node:
        below = self._comparison if conjunction else self._conjunction
        first = below()
        operands = [first]
        while self.at_word("and" if conjunction else "or"):
            self.advance()
            operands.append(below())
        if len(operands) == 1:
            return first
        return Junction(at=first.at, conjunction=conjunction, operands=tuple(operands))

    def _conjunction(self) -> Node:
        return self._junction(conjunction=True)

    def _comparison(self) -> Node:
        node = self.additive()
        for _ in range(MAX_CHAIN):
            token = self.token
            if token.kind is TokenKind.SYMBOL and token.text in _COMPARISONS:
                self.advance()
                if token.text == "=" and self.at_symbol("="):
                    raise self.error("没有 == 这个运算符", at=token.start, hint="相等写成 =")
                node = Binary(
                    at=token.start, operator=Operator(token.text), left=node, right=self.additive()
                )
            elif self.take_word("between"):
                low = self.additive()
                self.expect_word("and", "写成 x between 1 and 10")
                node = Between(at=token.start, operand=node, low=low, high=self.additive())
            elif self.take_word("in"):
                node = self._membership(node, token.start)
            elif self.at_word("instance") and self.peek().text == "of":
                self.advance()
                self.advance()
                node = InstanceOf(at=token.start, operand=node, kind=self.type())
            else:
                return node
        raise self.error("比较连得太长")

    def _membership(self, operand: Node, at: int) -> Node:
        """`in (a, b)` holds tests; `in (a..b)` and the rest are one test."""
        start = self.index
        if self.take_symbol("("):
            try:
                tests = [self.unary_test()]
                while self.take_symbol(","):
                    tests.append(self.unary_test())
                self.expect_symbol(")")
                after = self.token
                if not self.at_symbol("..", ".", "[", "+", "-", "*", "/", "**"):
                    return Membership(at=at, operand=operand, tests=tuple(tests))
                del after
            except FeelSyntaxError:
                pass
            self.index = start
        if self.at_symbol(*_COMPARISONS):
            return Membership(at=at, operand=operand, tests=(self.unary_test(),))
        return Membership(at=at, operand=operand, tests=(self.additive(),))

    def additive(self) -> Node:
        """Read a sum or what binds tighter."""
        node = self._multiplicative()
        for _ in range(MAX_CHAIN):
            token = self.take_symbol("+", "-")
            if token is None:
                return node
            node = Binary(
                at=token.start,
                operator=Operator(token.text),
                left=node,
                right=self._multiplicative(),
            )
        raise self.error(f"连加超过 {MAX_CHAIN} 项", hint="改用 sum([…])")

    def _multiplicative(self) -> Node:
        node = self._power()
        for _ in range(MAX_CHAIN):
            token = self.take_symbol("*", "/")
            if token is None:
                return node
            node = Binary(
                at=token.start, operator=Operator(token.text), left=node, right=self._power()
            )
        raise self.error(f"连乘超过 {MAX_CHAIN} 项", hint="改用 product([…])")

    def _power(self) -> Node:
        node = self._negation()
        for _ in range(MAX_CHAIN):
            token = self.take_symbol("**")
            if token is None:
                return node
            node = Binary(
                at=token.start, operator=Operator.POWER, left=node, right=self._negation()
            )
        raise self.error("乘方连得太长")

    def _negation(self) -> Node:
        token = self.take_symbol("-")
        if token is None:
            return self.postfix()
        with self.deeper():
            operand = self._negation()
        return Negation(at=token.start, operand=operand)

    _EXPRESSIONS: ClassVar[Mapping[str, Callable[[Parser], Node]]] = {
        "if": _conditional,
        "for": _loop,
        "some": _quantified,
        "every": _quantified,
        "function": _function,
    }
