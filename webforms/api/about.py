"""What there is: the description of the API, the codes of its problems, who I am to it."""

from __future__ import annotations

from webforms.api import problems, schemas
from webforms.api.route import Answer, Call, Route
from webforms.api.tasks import ID
from webforms.database import engine

_SEAT = schemas.told(
    role=schemas.text(), unit=schemas.text(), instead_of=schemas.maybe(schemas.text(most=40))
)


def codes(_call: Call) -> Answer:
    """Every code that a problem may carry."""
    found = [{"code": code, **said} for code, said in problems.catalogue().items()]
    return Answer(content={"items": found})


def me(call: Call) -> Answer:
    """The participant behind the token, with the seats he holds today."""
    counts = engine().worklist.counts(call.who)
    return Answer(
        content={
            "id": call.who.id,
            "name": call.who.name,
            "seats": [
                {"role": seat.role, "unit": seat.unit, "instead_of": seat.instead_of}
                for seat in call.who.seats
            ],
            "tasks": {
                "total": counts.total,
                "overdue": counts.overdue,
                "today": counts.today,
                "claimable": counts.claimable,
            },
        }
    )


ROUTES = (
    Route(
        method="GET",
        path="/me",
        name="me",
        summary="令牌背后的人员、岗位和待办数（数到 1000 为止）",
        group="about",
        view=me,
        answer=schemas.told(
            id=ID,
            name=schemas.text(),
            seats=schemas.several(_SEAT),
            tasks=schemas.told(
                total=schemas.whole(),
                overdue=schemas.whole(),
                today=schemas.whole(),
                claimable=schemas.whole(),
            ),
        ),
    ),
    Route(
        method="GET",
        path="/problems",
        name="problems",
        summary="错误代码一览",
        group="about",
        view=codes,
        answer=schemas.told(
            items=schemas.several(
                schemas.told(code=schemas.text(), status=schemas.whole(), title=schemas.text())
            )
        ),
        public=True,
    ),
)
