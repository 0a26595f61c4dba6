"""Deadlines as people read them: how late, how soon, in words and never by colour alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine import Card, WorkingCalendar, card, clock, errors
from webforms.shell import i18n
from webforms.shell.words import gettext, ngettext

SOON = timedelta(days=2)


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
    return replace(_running(at, now, calendar, warned=found is Card.YELLOW), card=found)


def _running(at: datetime, now: datetime, calendar: WorkingCalendar | None, *, warned: bool) -> Due:
    left = at - now
    days = _working_days(at, now, calendar)
    if left < timedelta(0):
        late = -days if days is not None else 0
        if late > 0:
            text = ngettext("超期 %(num)d 个工作日", "超期 %(num)d 个工作日", late)
        else:
            text = gettext("超期 %(span)s", span=i18n.span(left))
        return Due(tone="bad", text=text, at=at)
    # 24:00 of today is the midnight after it: the last instant that is still in time counts.
    if i18n.final_date(at) == clock.local_date(now):
        return Due(tone="warn", text=gettext("今日到期"), at=at)
    tone = "warn" if warned or left < SOON else ""
    if days:
        return Due(
            tone=tone, text=ngettext("剩 %(num)d 个工作日", "剩 %(num)d 个工作日", days), at=at
        )
    return Due(tone=tone, text=gettext("剩 %(span)s", span=i18n.span(left)), at=at)


def _working_days(at: datetime, now: datetime, calendar: WorkingCalendar | None) -> int | None:
    if calendar is None:
        return None
    try:
        return calendar.remaining(now, at)
    except errors.Incident:
        # A year without an announcement: the natural span is still true.
        return None
