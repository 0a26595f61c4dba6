"""Deadlines as people read them: how late, how soon, in words and never by colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Flask, g
from markupsafe import Markup, escape

from engine import Card, WorkingCalendar, card, clock, errors
from webforms.shell import i18n
from webforms.shell.assets import icon
from webforms.shell.words import gettext, ngettext

SOON = timedelta(days=2)
_Count = tuple[WorkingCalendar, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A badge: tone is a class of the style sheet."""

    tone: str
    text: str
    #: None while the clock stands still
    at: datetime | None
    #: 黄牌 or 红牌 by its name, and never by colour alone
    card: Card = Card.NONE
    paused: bool = False

    @property
    def exact(self) -> str:
        """The instant itself, as offices write it."""
        return i18n.period_end(self.at) if self.at is not None else str(gettext("计时暂停中"))

    @property
    def card_title(self) -> str:
        """What the card is called."""
        if self.card is Card.NONE:
            return ""
        return str(gettext("红牌") if self.card is Card.RED else gettext("黄牌"))


#: signs beside the words
_SIGNS = {"bad": "alert", "warn": "clock"}


def install(app: Flask) -> None:
    """Give templates `due_tag(due)`."""
    app.jinja_env.globals["due_tag"] = tag


def tag(due: Due | None) -> Markup:
    """The badge as it stands on a page: a list asks for it at every line."""
    if due is None:
        return Markup(f'<span class="due">{escape(gettext("不限时"))}</span>')  # noqa: S704  # escaped
    sign = "pause" if due.paused else _SIGNS.get(due.tone)
    drawn = icon(sign) if sign else ""
    card_title = due.card_title
    named = f"<b>{escape(card_title)}</b>" if card_title else ""
    head = f'<span class="due {escape(due.tone)}" title="{escape(due.exact)}">'
    return Markup(f"{head}{drawn}{named}{escape(due.text)}</span>")  # noqa: S704  # escaped above


def due(
    at: datetime | None,
    now: datetime,
    calendar: WorkingCalendar | None = None,
    *,
    warn_at: datetime | None = None,
    paused_at: datetime | None = None,
) -> Due | None:
    """The badge of a deadline, counted in working days where a calendar is given."""
    if at is None:
        if paused_at is None:
            return None
        return Due(tone="", text=gettext("计时暂停"), at=None, paused=True)
    found = card(at, warn_at, now)
    tone, text = _running(at, now, calendar, warned=found is Card.YELLOW)
    return Due(tone=tone, text=text, at=at, card=found)


def _running(
    at: datetime, now: datetime, calendar: WorkingCalendar | None, *, warned: bool
) -> tuple[str, str]:
    """Tone and words of a clock that runs."""
    left = at - now
    days = _working_days(at, now, calendar)
    if left < timedelta(0):
        late = -days if days is not None else 0
        if late > 0:
            text = ngettext("超期 %(num)d 个工作日", "超期 %(num)d 个工作日", late)
        else:
            text = gettext("超期 %(span)s", span=i18n.span(left))
        return "bad", text
    # 24:00 of today is the midnight after it: the last instant that is still in time counts.
    if i18n.final_date(at) == clock.local_date(now):
        return "warn", gettext("今日到期")
    tone = "warn" if warned or left < SOON else ""
    if days:
        return tone, ngettext("剩 %(num)d 个工作日", "剩 %(num)d 个工作日", days)
    return tone, gettext("剩 %(span)s", span=i18n.span(left))


def _working_days(at: datetime, now: datetime, calendar: WorkingCalendar | None) -> int | None:
    if calendar is None:
        return None
    # Many lines of a list are due on one day, and a count looks at every day between.
    counted: dict[tuple[int, date, date], _Count] = g.setdefault("working_days", {})
    key = (id(calendar), clock.local_date(now), i18n.final_date(at))
    found = counted.get(key)
    if found is None:
        # The calendar is kept beside its number, which no other one can have so long.
        found = counted[key] = (calendar, _counted(at, now, calendar))
    return found[1]


def _counted(at: datetime, now: datetime, calendar: WorkingCalendar) -> int | None:
    try:
        return calendar.remaining(now, at)
    except errors.Incident:
        # A year without an announcement: the natural span is still true.
        return None
