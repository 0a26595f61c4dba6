"""Fonts for papers: which are there, which of them play 小标宋, 仿宋, 黑体, 楷体 and 宋体.

Offices have the GB 2312 fonts of Windows; a server has Noto CJK (Debian `fonts-noto-cjk`) or what
an administrator put into the folder of `NUANLIU_FONTS`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from typst import Fonts

_ANY_SONG = (
    "Noto Serif CJK SC", "Noto Serif SC", "Source Han Serif SC", "Songti SC", "STSong",
    "SimSun", "NSimSun", "AR PL UMing CN", "Noto Sans CJK SC", "Noto Sans SC",
)  # fmt: skip
_ANY_HEI = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei", "Droid Sans Fallback",
)  # fmt: skip

FAMILIES: Mapping[str, Sequence[str]] = {
    "biaosong": (
        "FZXiaoBiaoSong-B05S", "FZXiaoBiaoSong-B05", "方正小标宋简体", "方正小标宋_GBK",
        "STZhongsong", *_ANY_SONG,
    ),
    "fangsong": ("FangSong_GB2312", "FangSong", "仿宋_GB2312", "STFangsong", *_ANY_SONG),
    "heiti": ("SimHei", "STHeiti", "Heiti SC", *_ANY_HEI, *_ANY_SONG),
    "kaiti": ("KaiTi_GB2312", "KaiTi", "STKaiti", "Kaiti SC", *_ANY_SONG),
    "song": _ANY_SONG,
}  # fmt: skip
"""For each role the families to try, as an office would prefer them."""


class MissingFont(RuntimeError):
    """No Chinese font is installed; the sentence says what to do."""


def folders_of(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders that `NUANLIU_FONTS` lists, as `PATH` lists its own."""
    return tuple(Path(part) for part in environ.get("NUANLIU_FONTS", "").split(os.pathsep) if part)


def find(folders: Sequence[Path] = ()) -> tuple[Fonts, dict[str, list[str]]]:
    """The fonts of the system and of these folders, and for each role the families that are there.

    Raises `MissingFont`: a paper with boxes instead of signs must not leave the house.
    """
    found = Fonts(
        include_system_fonts=True,
        include_embedded_fonts=False,
        font_paths=[str(folder) for folder in folders if folder.is_dir()],
    )
    installed = set(found.families())
    chosen = {
        role: [family for family in families if family in installed]
        for role, families in FAMILIES.items()
    }
    if not chosen["song"] and not chosen["heiti"]:
        raise MissingFont(
            "没有找到中文字体，公示表、通知书等文书不能生成：请安装 fonts-noto-cjk，"
            "或把字体文件放入 NUANLIU_FONTS 指定的目录"
        )
    for role, families in chosen.items():
        chosen[role] = families or chosen["song"] or chosen["heiti"]
    return found, chosen


def finding(folders: Sequence[Path] = ()) -> str | None:
    """One sentence for the start-up check and `nuanliu doctor`; None when all is well."""
    try:
        find(folders)
    except MissingFont as missing:
        return str(missing)
    return None
