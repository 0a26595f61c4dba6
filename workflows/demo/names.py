"""Invented names with their pinyin, drawn from a seeded source: the same in every run."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

SURNAMES = (
    ("王", "wang"), ("李", "li"), ("张", "zhang"), ("刘", "liu"), ("陈", "chen"), ("杨", "yang"),
    ("赵", "zhao"), ("黄", "huang"), ("周", "zhou"), ("吴", "wu"), ("徐", "xu"), ("孙", "sun"),
    ("胡", "hu"), ("朱", "zhu"), ("高", "gao"), ("林", "lin"), ("何", "he"), ("郭", "guo"),
)  # fmt: skip
GIVEN = (
    ("建", "jian"), ("国", "guo"), ("明", "ming"), ("秀", "xiu"), ("英", "ying"), ("桂", "gui"),
    ("兰", "lan"), ("海", "hai"), ("春", "chun"), ("德", "de"), ("福", "fu"), ("玉", "yu"),
    ("梅", "mei"), ("志", "zhi"), ("强", "qiang"), ("永", "yong"), ("平", "ping"), ("云", "yun"),
    ("友", "you"), ("珍", "zhen"), ("文", "wen"), ("水", "shui"), ("根", "gen"), ("生", "sheng"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name and how it is typed."""

    chinese: str
    pinyin: str


@dataclass(slots=True)
class Names:
    """Gives each name once."""

    source: Random
    _given: set[str] = field(default_factory=set)

    def next(self, surname: str | None = None) -> Name:
        """A name nobody has yet; of this family where one is asked for."""
        families = [pair for pair in SURNAMES if surname in (None, pair[0])] or list(SURNAMES)
        while True:
            family = self.source.choice(families)
            parts = [self.source.choice(GIVEN), self.source.choice(GIVEN)]
            chinese = family[0] + "".join(part[0] for part in parts)
            if chinese not in self._given:
                self._given.add(chinese)
                return Name(chinese=chinese, pinyin=family[1] + "".join(part[1] for part in parts))
