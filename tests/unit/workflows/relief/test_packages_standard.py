"""篇四: whole packages by disaster, the best one counts, never parts of two (004:L104-L108)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.bpmn.dmn import model_from_path

MODEL = model_from_path(Path(__file__).parents[4] / "workflows/bpmn/relief_village/packages.dmn")
PRICES = {"food": Decimal(5), "quilt": Decimal(120), "suit": Decimal(150)}


def package(kind: str, needy: int, months: int, quilts: int = 2, heated: int = 3):
    return MODEL.invoke(
        "package of",
        {
            "kind": kind,
            "needy": Decimal(needy),
            "months": Decimal(months),
            "quilts": Decimal(quilts),
            "heated": Decimal(heated),
            "price": PRICES,
        },
    )


def test_three_persons_with_lost_crops_get_270_kilograms() -> None:
    found = package("作物", 3, 6)

    assert (found["food"], found["quilts"], found["suits"], found["heat"]) == (270, 0, 0, 0)
    assert found["value"] == 1350


def test_three_persons_with_a_damaged_house_get_food_quilts_suits_and_heat() -> None:
    found = package("房屋", 3, 3)

    assert (found["food"], found["quilts"], found["suits"], found["heat"]) == (135, 2, 3, 300)
    assert found["value"] == 1665


def test_of_two_disasters_the_better_package_counts_alone() -> None:
    best = MODEL.invoke(
        "best package", {"packages": [package("作物", 3, 6), package("房屋", 3, 3)]}
    )

    assert (best["kind"], best["value"]) == ("房屋", 1665)


def test_of_equal_packages_the_house_comes_first() -> None:
    equal = [
        {"kind": kind, "value": Decimal(100), "rank": Decimal(rank)}
        for kind, rank in (("其他", 3), ("作物", 2), ("房屋", 1))
    ]

    assert MODEL.invoke("best package", {"packages": equal})["kind"] == "房屋"


@pytest.mark.parametrize(
    ("types", "least", "most"),
    [
        (["作物"], 900, 1350),
        (["其他"], 450, 1125),
        (["房屋"], 1665, 3230),
        (["作物", "房屋"], 1665, 3230),
    ],
)
def test_the_band_of_a_household_is_that_of_its_best_type(types, least, most) -> None:
    found = MODEL.evaluate("amount_packages", {"types": types, "needy": Decimal(3)})

    assert (found["least"], found["most"]) == (least, most)
    assert types[-1] in found["note"]
