"""The operands of FEEL: literals, names, brackets, contexts, lists, ranges, types."""

from __future__ import annotations

from decimal import Decimal, DecimalException

from engine.decision.cursor import MAX_CHAIN, Cursor
from engine.decision.errors import Fault, FeelSyntaxError
from engine.decision.kinds import (
    SCALARS,
    ContextType,
    FeelType,
    FunctionType,
    ListType,
    RangeType,
    named_type,
)
from engine.decision.lexer import KEYWORDS, TokenKind, full_width_hint
from engine.decision.temporal_text import read_moment
from engine.decision.tree import (
    Call,
    Comparison,
    ContextOf,
    Failing,
    Filter,
    Input,
    ListOf,
    Literal,
    Name,
    Node,
    Operator,
    Path,
    RangeOf,
)
from engine.decision.values import NUMBERS

_CONSTANTS = {"true": True, "false": False, "null": None}
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
# What people bring along from other languages, and what FEEL has instead.
_FOREIGN = {
    "!": "写成 not(…)",
    "'": '字符串用双引号："…"',
    "’": '字符串用双引号："…"',
    "$": "不用 ${…}，直接写里面的表达式",
    "#": "不用 #{…}，直接写里面的表达式",
    "&": "写成 and",
    "|": "写成 or",
    "+": "正号不用写",
    ">": "大于等于写成 >=，不等于写成 !=",
    "<": "小于等于写成 <=",
    "=": "大于等于写成 >=，相等写成 =",
}


class OperandParser(Cursor):
    """Everything that binds tighter than arithmetic."""

    def expression(self) -> Node:
        """Read any expression (given by the parser of operators)."""
        raise NotImplementedError

    def additive(self) -> Node:
        """Read a sum (given by the parser of operators)."""
        raise NotImplementedError

    def postfix(self) -> Node:
        """Read an operand with the paths, filters and invocations that follow it."""
        node = self._primary()
        for _ in range(MAX_CHAIN):
            token = self.token
            if self.at_symbol(".") and self.peek().kind is TokenKind.NAME:
                self.advance()
                node = Path(at=token.start, source=node, name=self.member_name())
            elif self.at_symbol("["):
                filtered = self._filter(node)
                if filtered is None:
                    return node
                node = filtered
            elif self.at_symbol("("):
                node = self._call(node)
            else:
                return node
        raise self.error("路径连得太长")

    def _filter(self, source: Node) -> Node | None:
        """Read `[condition]`; None where the bracket closes a range such as `]1..5[`."""
        start = self.index
        at = self.advance().start
        if not self._in_range_end:
            condition = self.expression()
            self.expect_symbol("]")
            return Filter(at=at, source=source, condition=condition)
        outer, self._in_range_end = self._in_range_end, False
        try:
            condition = self.expression()
            self.expect_symbol("]")
        except FeelSyntaxError:
            self.index = start
            return None
        finally:
            self._in_range_end = outer
        return Filter(at=at, source=source, condition=condition)

    _in_range_end = False

    def _call(self, function: Node) -> Node:
        at = self.advance().start
        arguments: list[Node] = []
        names: list[str] = []
        while not self.at_symbol(")"):
            if arguments:
                self.expect_symbol(",")
            start = self.index
            name = self.name_until(":")
            if name is not None:
                self.advance()
                names.append(name)
            else:
                self.index = start
            arguments.append(self._argument())
        self.advance()
        if names and len(names) != len(arguments):
            raise self.error(
                "同一次调用里不能既有带名参数又有不带名参数", at=at, hint="全部写成 名称: 值"
            )
        return Call(
            at=function.at if isinstance(function, Name) else at,
            function=function,
            arguments=tuple(arguments),
            names=tuple(names) or None,
        )

    def _argument(self) -> Node:
        outer, self._in_range_end = self._in_range_end, False
        try:
            return self.expression()
        finally:
            self._in_range_end = outer

    def _primary(self) -> Node:
        token = self.token
        if token.kind is TokenKind.NUMBER:
            return self._number()
        if token.kind is TokenKind.STRING:
            self.advance()
            return Literal(at=token.start, value=token.text)
        if token.kind is TokenKind.NAME:
            return self._word()
        readers = {
            "(": self._bracketed,
            "[": self._list_or_range,
            "]": self._open_range,
            "{": self._context,
            "@": self._at_literal,
        }
        reader = readers.get(token.text) if token.kind is TokenKind.SYMBOL else None
        if reader is None:
            hint = _FOREIGN.get(token.text) if token.kind is TokenKind.SYMBOL else None
            raise self.unexpected("一个值或名称", hint)
        outer, self._in_range_end = self._in_range_end, False
        try:
            return reader()
        finally:
            self._in_range_end = outer

    def _number(self) -> Node:
        token = self.advance()
        try:
            value = NUMBERS.create_decimal(Decimal(token.text))
        except DecimalException:
            raise self.error("数字超出范围", at=token.start) from None
        if self.token.kind is TokenKind.NAME and self.token.start == token.end:
            hint = full_width_hint(self.token.text) or "名称要以字母开头"
            raise self.error("数字后面紧跟着字母", at=token.start, hint=hint)
        return Literal(at=token.start, value=value)

    def _at_literal(self) -> Node:
        at = self.advance().start
        if self.token.kind is not TokenKind.STRING:
            raise self.unexpected("带引号的日期、时间或时长", '写成 @"2026-01-31"')
        text = self.advance().text
        try:
            return Literal(at=at, value=read_moment(text))
        except Fault as fault:
            return Failing(at=at, message=str(fault))

    def _word(self) -> Node:
        token = self.token
        longer = self.longest()
        if longer is not None and longer[0] in _CONSTANTS:
            longer = None  # an entry may be called "false", but the word goes on meaning false
        if longer is None and token.text in KEYWORDS:
            if token.text in _CONSTANTS:
                self.advance()
                return Literal(at=token.start, value=_CONSTANTS[token.text])
            if token.text == "function" and self.peek().text == "(":
                return self.expression()
            if token.text == "not" and self.peek().text == "(":
                self.advance()
                return Name(at=token.start, name="not")
            if token.text in ("if", "for", "some", "every"):
                return self.expression()
            hint = "写成 not(…)" if token.text == "not" else f"{token.text} 是保留字"
            raise self.unexpected("一个值或名称", hint)
        name = self.name()
        return Input(at=token.start) if name == "?" else Name(at=token.start, name=name)

    def _bracketed(self) -> Node:
        """Read `(expression)`, the range `(a..b)` or the range `(< 5)`."""
        at = self.advance().start
        if self.at_symbol(*_COMPARISONS):
            operator = Operator(self.advance().text)
            end = self.additive()
            self.expect_symbol(")")
            return Comparison(at=at, operator=operator, end=end)
        node = self.expression()
        if self.at_symbol(".."):
            return self._range(at, node, low_closed=False)
        self.expect_symbol(")")
        return node

    def _open_range(self) -> Node:
        at = self.advance().start
        with self.deeper():
            return self._range(at, self.additive(), low_closed=False)

    def _range(self, at: int, low: Node, *, low_closed: bool) -> Node:
        self.expect_symbol("..")
        self._in_range_end = True
        high = self.expression()
        self._in_range_end = False
        closing = self.take_symbol("]", ")", "[")
        if closing is None:
            raise self.unexpected("区间的结尾 ] 或 )")
        return RangeOf(
            at=at, low=low, high=high, low_closed=low_closed, high_closed=closing.text == "]"
        )

    def _list_or_range(self) -> Node:
        at = self.advance().start
        items: list[Node] = []
        if self.take_symbol("]"):
            return ListOf(at=at, items=())
        while True:
            items.append(self.expression())
            if len(items) == 1 and self.at_symbol(".."):
                return self._range(at, items[0], low_closed=True)
            if self.take_symbol("]"):
                return ListOf(at=at, items=tuple(items))
            self.expect_symbol(",", "列表写成 [1, 2, 3]")

    def _context(self) -> Node:
        at = self.advance().start
        entries: list[tuple[str, Node]] = []
        repeated: str | None = None
        while not self.at_symbol("}"):
            if entries:
                self.expect_symbol(",", '上下文写成 {a: 1, "b c": 2}')
            key = self._key()
            self.expect_symbol(":")
            value = self.expression()
            if any(key == earlier for earlier, _ in entries):
                repeated = key
            entries.append((key, value))
            self.learn(key)
        self.advance()
        if repeated is not None:
            return Failing(at=at, message=f"同一个上下文里有两个“{repeated}”")
        return ContextOf(at=at, entries=tuple(entries))

    def _key(self) -> str:
        if self.token.kind is TokenKind.STRING:
            return self.advance().text
        key = self.name_until(":")
        if key is None:
            raise self.unexpected("上下文的键", '写成 {a: 1, "b c": 2}')
        return key

    def type(self) -> FeelType:
        """Read a type. Raises FeelSyntaxError for one that is not known."""
        at = self.token.start
        with self.deeper():
            if self.peek().text == "<" and self.at_word("list", "range", "context", "function"):
                return self._generic(self.advance().text)
            return self._type_name(at)

    def _generic(self, word: str) -> FeelType:
        self.expect_symbol("<")
        if word == "context":
            return self._context_type()
        if word == "function":
            return self._function_type()
        item = self.type()
        self.expect_symbol(">")
        return ListType(item) if word == "list" else RangeType(item)

    def _context_type(self) -> FeelType:
        entries: list[tuple[str, FeelType]] = []
        while not self.take_symbol(">"):
            if entries:
                self.expect_symbol(",")
            name = self.name_until(":")
            if name is None:
                raise self.unexpected("上下文类型里的名称")
            self.advance()
            entries.append((name, self.type()))
        return ContextType(tuple(entries))

    def _function_type(self) -> FeelType:
        parameters: list[FeelType] = []
        while not self.take_symbol(">"):
            if parameters:
                self.expect_symbol(",")
            parameters.append(self.type())
        self.expect_symbol("->")
        return FunctionType(tuple(parameters), self.type())

    def _type_name(self, at: int) -> FeelType:
        """Take the longest run of words that names a type."""
        best: tuple[int, FeelType] | None = None
        name = ""
        previous_end = -1
        index = self.index
        while self.tokens[index].kind is not TokenKind.END and index - self.index < 12:
            token = self.tokens[index]
            if token.kind is TokenKind.STRING or token.text in ("(", ")", "[", "{", "}", ","):
                break
            name += (" " if previous_end not in (-1, token.start) else "") + token.text
            previous_end = token.end
            index += 1
            found = named_type(name, self.types)
            if found is not None:
                best = index, found
        if best is None:
            raise self.error(
                f"不认识的类型“{name or self.token.text}”", at=at, hint="、".join(list(SCALARS)[:8])
            )
        self.index = best[0]
        return best[1]
