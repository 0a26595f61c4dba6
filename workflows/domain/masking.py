"""What each audience may see of a person: public papers, boards, websites, screens.

政府信息公开条例第十五条 (privacy), 社会救助暂行办法第六十一条 (secrecy of those who handle
relief), 个人信息保护法第二十八条 (health, finance, children under fourteen are sensitive).
``None`` means the field is not printed at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum


class Audience(Enum):
    """Who reads; the value is what people call it."""

    VILLAGE_BOARD = "村组公示栏"
    TOWN_BOARD = "乡镇公示栏"
    WEBSITE = "网站"
    INTERNAL = "内部花名册"

    @property
    def is_public(self) -> bool:
        """Whether anybody at all may read it."""
        return self is not Audience.INTERNAL


class FamilyCategory(Enum):
    """What a public paper may say of a household's situation; ``code`` is all a website says."""

    EXTREME_HARDSHIP = ("A", "特困人员")
    MINIMUM_ALLOWANCE = ("B", "低保对象")
    ALLOWANCE_MARGIN = ("C", "低保边缘家庭")
    RIGID_EXPENSES = ("D", "刚性支出困难家庭")
    WATCHED_HOUSEHOLD = ("E", "防止返贫监测对象")
    CHILDREN = ("F", "儿童家庭")
    LEFT_BEHIND = ("G", "留守家庭")
    PREFERENTIAL_TREATMENT = ("H", "优抚对象")
    REBUILDING = ("J", "倒房重建户")
    ORDINARY = ("K", "一般户")
    OTHER_HARDSHIP = ("Z", "其他困难家庭")

    def __init__(self, code: str, label: str) -> None:
        self.code = code
        self.label = label


# The first word found decides; whatever else the text says (illness, grade of a
# disability, an orphan's fate) is left behind. Sensitive kinds have no word here.
_WORDS = (
    ("特困", FamilyCategory.EXTREME_HARDSHIP),
    ("五保", FamilyCategory.EXTREME_HARDSHIP),
    ("低保边缘", FamilyCategory.ALLOWANCE_MARGIN),
    ("最低生活保障边缘", FamilyCategory.ALLOWANCE_MARGIN),
    ("低保", FamilyCategory.MINIMUM_ALLOWANCE),
    ("最低生活保障", FamilyCategory.MINIMUM_ALLOWANCE),
    ("刚性支出", FamilyCategory.RIGID_EXPENSES),
    ("返贫", FamilyCategory.WATCHED_HOUSEHOLD),
    ("脱贫不稳定", FamilyCategory.WATCHED_HOUSEHOLD),
    ("边缘易致贫", FamilyCategory.WATCHED_HOUSEHOLD),
    ("孤儿", FamilyCategory.CHILDREN),
    ("无人抚养", FamilyCategory.CHILDREN),
    ("留守", FamilyCategory.LEFT_BEHIND),
    ("优抚", FamilyCategory.PREFERENTIAL_TREATMENT),
    ("倒房", FamilyCategory.REBUILDING),
    ("一般户", FamilyCategory.ORDINARY),
)

_COMPOUND_SURNAME = re.compile(
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|司徒|司空|"
    "夏侯|轩辕|端木|百里|呼延|南宫|独孤|拓跋|赫连|澹台|太史|申屠|闻人|钟离|"
    "万俟|濮阳|淳于|单于|公冶|宗政|仲孙|鲜于|闾丘|亓官|子车|巫马|公西|漆雕|"
    "乐正|壤驷|公良|夹谷|宰父|谷梁|段干|东郭|南门|西门|羊舌|微生|左丘|第五"
)


def mask_name(name: str, audience: Audience, *, full_on_website: bool = False) -> str:
    """Full on boards, where neighbours must be able to object; 张*明 on the website."""
    if audience is not Audience.WEBSITE or full_on_website:
        return name
    return "·".join(_starred(part) for part in name.split("·"))


def surname(name: str) -> str:
    """The family name, of one or two signs; of a name with 「·」 the part before it."""
    if "·" in name:
        return name.split("·", 1)[0]
    return name[:2] if len(name) > 2 and _COMPOUND_SURNAME.match(name) else name[:1]


def public_name(
    name: str,
    audience: Audience,
    *,
    minor: bool,
    guardian: str | None = None,
    full_on_website: bool = False,
) -> str:
    """The name to print for a household head; of a minor his guardian's, or 张某.

    Inside, a minor is called by his own name.
    """
    if not minor or not audience.is_public:
        return mask_name(name, audience, full_on_website=full_on_website)
    if guardian:
        return mask_name(guardian, audience, full_on_website=full_on_website)
    return f"{surname(name)}某"


def mask_id(number: str | None, audience: Audience, *, same_name: bool = False) -> str | None:
    """Public papers carry no number; where two share a name, just enough to tell them apart."""
    if not number or audience is Audience.INTERNAL:
        return number
    if not same_name or audience is Audience.WEBSITE:
        return None
    if audience is Audience.VILLAGE_BOARD:
        return f"尾号{number[-4:]}"
    return screen_id(number)


def mask_account(number: str | None, audience: Audience) -> str | None:
    """Never on anything public."""
    return None if audience.is_public else number


def mask_phone(number: str | None, audience: Audience) -> str | None:
    """Never on anything public."""
    return None if audience.is_public else number


def family_category(family_type: str) -> FamilyCategory:
    """The category a free or listed text belongs to; unknown and sensitive ones are Z."""
    for word, category in _WORDS:
        if word in family_type:
            return category
    return FamilyCategory.OTHER_HARDSHIP


def mask_family_type(family_type: str, audience: Audience) -> str:
    """A category on boards, its code on the website, the text itself inside."""
    if audience is Audience.INTERNAL:
        return family_type
    category = family_category(family_type)
    return category.code if audience is Audience.WEBSITE else category.label


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLine:
    """What a roster knows of a household head, before anybody else may read it."""

    name: str
    family_type: str
    id_number: str | None = field(default=None, repr=False)
    account: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    minor: bool = False
    guardian: str | None = None
    same_name: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedLine:
    """What one audience may read of it."""

    name: str
    family_type: str
    id_number: str | None = field(repr=False)
    account: str | None = field(repr=False)
    phone: str | None = field(repr=False)


def mask_line(line: PersonLine, audience: Audience, *, full_on_website: bool = False) -> MaskedLine:
    """Every field as this audience may read it; a public line tells no minor's number at all."""
    same_name = line.same_name and not line.minor
    return MaskedLine(
        name=public_name(
            line.name,
            audience,
            minor=line.minor,
            guardian=line.guardian,
            full_on_website=full_on_website,
        ),
        family_type=mask_family_type(line.family_type, audience),
        id_number=mask_id(line.id_number, audience, same_name=same_name),
        account=mask_account(line.account, audience),
        phone=mask_phone(line.phone, audience),
    )


def screen_id(number: str) -> str:
    """On screens, before the full number is asked for on record: 3498************12."""
    return f"{number[:4]}{'*' * 12}{number[-2:]}" if len(number) == 18 else _tail(number)


def screen_account(number: str) -> str:
    """The last four digits; the length is not told."""
    return _tail(number)


def screen_phone(number: str) -> str:
    """138****5678; other numbers show their last two digits."""
    if re.fullmatch(r"1[0-9]{10}", number):
        return f"{number[:3]}****{number[-4:]}"
    return f"****{number[-2:]}" if len(number) > 4 else "****"


def _starred(part: str) -> str:
    if len(part) <= 1:
        return "*"
    return part[0] + "*" * (len(part) - 2) + part[-1] if len(part) > 2 else part[0] + "*"


def _tail(number: str) -> str:
    return f"**** {number[-4:]}" if len(number) > 8 else "****"
