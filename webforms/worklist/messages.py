"""Messages to me: the list, one message, and reading them off."""

from __future__ import annotations

from flask import flash, request, url_for
from werkzeug.wrappers import Response

from engine import Actor, errors
from notifications import dispatcher
from notifications.channels import inbox
from notifications.message import Urgency
from webforms.database import engine, now
from webforms.shell import navigation, paging, roles
from webforms.shell.page import current_actor, render, see_other
from webforms.shell.permissions import requires
from webforms.shell.words import gettext
from webforms.shell.words import lazy_gettext as _l
from webforms.worklist.blueprint import blueprint

PAGE_SIZE = 30
MOST_AT_ONCE = 100

#: how urgent it is, as a tag's tone
TONES = {
    Urgency.QUIET: "mute",
    Urgency.DIGEST: "mute",
    Urgency.SOON: "warn",
    Urgency.NOW: "bad",
}


@blueprint.get("/messages")
@requires()
def messages() -> str:
    """What I was told, the newest first; unread ones alone unless all are asked for."""
    actor = current_actor()
    everything = request.args.get("tab") == "all"
    with engine().read() as session:
        unread = inbox.unread_count(session, actor.id)
        page = inbox.page(
            session,
            actor.id,
            unread_only=not everything,
            cursor=paging.cursor(),
            limit=PAGE_SIZE,
        )
    return render(
        "worklist/messages.html",
        items=page.items,
        tones=TONES,
        unread=unread,
        everything=everything,
        tabs=[
            (_l("未读"), url_for("worklist.messages"), capped(unread), not everything, False),
            (_l("全部"), url_for("worklist.messages", tab="all"), None, everything, False),
        ],
        older=paging.link(cursor=page.next_cursor) if page.next_cursor else None,
        first=paging.link(cursor=None) if paging.cursor() else None,
    )


@blueprint.get("/messages/<message_id>")
@requires()
def message(message_id: str) -> str:
    """One message; whoever opens it has read it. Raises NotFound for the message of another."""
    actor = current_actor()
    with engine().database.write() as tx:
        found = inbox.find(tx.session, actor.id, message_id)
        if found is not None and found.is_unread:
            inbox.mark_read(tx.session, actor.id, [message_id], now())
    if found is None:
        raise errors.NotFound("没有这条消息")
    return render("worklist/message.html", message=found, tone=TONES[found.urgency])


@blueprint.post("/messages/read")
@requires()
def messages_read() -> Response:
    """The chosen messages are read, or all of mine where none was chosen."""
    actor = current_actor()
    chosen = request.form.getlist("message")[:MOST_AT_ONCE]
    with engine().database.write() as tx:
        if chosen:
            count = inbox.mark_read(tx.session, actor.id, chosen, now())
        else:
            count = inbox.mark_all_read(tx.session, actor.id, now())
    flash(gettext("%(n)s 条消息已标为已读", n=count), "success")
    return see_other("worklist.messages")


@blueprint.get("/messages/undelivered")
@requires(roles.SYSTEM_ADMIN)
def undelivered() -> str:
    """What did not reach anybody, and letters that were refused; for the operator."""
    with engine().read() as session:
        letters = dispatcher.failures(session)
    return render(
        "worklist/undelivered.html",
        messages=engine().management.undelivered(),
        letters=letters,
    )


@blueprint.post("/messages/undelivered/resend")
@requires(roles.SYSTEM_ADMIN)
def resend() -> Response:
    """Once more, after the cause was mended: a letter by its channel, a message as a whole."""
    message_id = request.form.get("message", "")
    channel = request.form.get("channel", "")
    if channel:
        with engine().database.write() as tx:
            if not dispatcher.retry(tx.session, message_id, channel, now()):
                raise errors.NotFound("没有这封未送出的信")
    else:
        engine().management.resend(message_id)
    flash(gettext("已重新排队，稍后送出"), "success")
    return see_other("worklist.undelivered")


def install() -> None:
    """Offer the box in the menu, with how many are unread."""
    navigation.offer(
        navigation.Entry(
            endpoint="worklist.messages", title=_l("消息"), icon="bell", order=35, badge=badge
        )
    )


def badge(actor: Actor) -> str:
    """Unread messages as the menu shows them; nothing when there are none."""
    return capped(engine().rows(inbox.UNREAD, participant_id=actor.id)[0].unread)


def capped(count: int) -> str:
    """99+ beyond what the count looks at."""
    if not count:
        return ""
    return str(count) if count < inbox.COUNT_UP_TO else f"{inbox.COUNT_UP_TO - 1}+"
