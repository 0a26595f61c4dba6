"""From the outbox into the in-app box and out of the house."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from notifications.channels import inbox
from notifications.dispatcher import MOST_ATTEMPTS, PAUSES, Dispatcher, failures, retry
from notifications.errors import DeliveryError
from notifications.message import Letter, Reach
from notifications.tables import DeliveryRow, DeliveryStatus, MessageRow
from tests.unit.notifications.conftest import Postman

CLERKS = {"kind": "role", "role": "clerk", "unit": "349898101201"}
WANG = {"kind": "participant", "id": "wang"}


def boxes(desk) -> dict[str, list[str]]:
    with desk.sessions() as session:
        found = session.execute(
            select(MessageRow.participant_id, MessageRow.subject).order_by(MessageRow.id)
        )
        answer: dict[str, list[str]] = {}
        for participant_id, subject in found:
            answer.setdefault(participant_id, []).append(subject)
        return answer


def only_delivery(desk) -> DeliveryRow:
    with desk.sessions() as session:
        return session.scalars(select(DeliveryRow)).one()


def test_everybody_who_holds_the_seat_finds_the_message_in_his_box(desk) -> None:
    desk.outbox.put("task_opened", CLERKS)

    desk.dispatcher().deliver()

    assert boxes(desk) == {"wang": ["待办：柳河镇东沟村"], "li": ["待办：柳河镇东沟村"]}
    assert desk.outbox.sent == ["row-1"]


def test_a_new_task_is_not_worth_a_mail_of_its_own(desk) -> None:
    desk.outbox.put("task_opened", CLERKS)

    desk.dispatcher().deliver()

    assert desk.postman.letters == []


def test_an_overdue_task_is_mailed_to_the_person(desk) -> None:
    desk.outbox.put("task_overdue", WANG)

    desk.dispatcher().deliver()

    (letter,) = desk.postman.letters
    assert letter.to_address == "wang@example.cn"
    assert "应于2026年1月9日（星期五）24:00前办结" in letter.body


def test_the_same_outbox_row_twice_tells_nobody_twice(desk) -> None:
    desk.outbox.put("task_overdue", WANG)
    dispatcher = desk.dispatcher()
    dispatcher.deliver()
    desk.outbox.sent.clear()  # the process died before the row was marked

    dispatcher.deliver()

    assert boxes(desk) == {"wang": ["超期：柳河镇东沟村"]}
    assert len(desk.postman.letters) == 1


def test_a_person_without_address_still_has_the_message_in_the_app(desk) -> None:
    desk.set_person("wang", email=None)
    desk.outbox.put("task_overdue", WANG)

    desk.dispatcher().deliver()

    assert boxes(desk) == {"wang": ["超期：柳河镇东沟村"]}
    assert desk.postman.letters == []


def test_whoever_stands_in_hears_of_it_too_and_why(desk) -> None:
    desk.stand_in("wang", "sun", date(2026, 1, 1), date(2026, 1, 31))
    desk.outbox.put("task_overdue", WANG)

    desk.dispatcher().deliver()

    with desk.sessions() as session:
        item = inbox.page(session, "sun").items[0]
    assert item.reason == "您正在代理王小满"
    assert {letter.to_name for letter in desk.postman.letters} == {"王小满", "孙立"}


def test_a_substitution_that_is_over_tells_nobody(desk) -> None:
    desk.stand_in("wang", "sun", date(2025, 12, 1), date(2026, 1, 4))
    desk.outbox.put("task_overdue", WANG)

    desk.dispatcher().deliver()

    assert set(boxes(desk)) == {"wang"}


def test_an_empty_seat_is_told_to_the_operator_and_not_dropped(desk) -> None:
    desk.outbox.put("task_opened", {"kind": "role", "role": "leader", "unit": "349898101202"})

    assert desk.dispatcher().deliver() == 0

    assert "没有人担任岗位“leader”" in desk.outbox.failed["row-1"]
    assert desk.outbox.sent == []


def test_a_message_without_words_is_told_to_the_operator(desk) -> None:
    desk.outbox.put("never_written", WANG)
    desk.outbox.put("task_overdue", WANG)

    desk.dispatcher().deliver()

    assert "never_written" in desk.outbox.failed["row-1"]
    assert desk.outbox.sent == ["row-2"]


def test_a_mail_waits_out_the_night_but_the_box_does_not(desk) -> None:
    desk.clock.advance(timedelta(hours=14))  # 23:00
    desk.outbox.put("task_overdue", WANG)
    dispatcher = desk.dispatcher()

    dispatcher.deliver()

    assert set(boxes(desk)) == {"wang"}
    assert desk.postman.letters == []
    desk.clock.advance(timedelta(hours=8, minutes=30))  # 07:30
    dispatcher.deliver()
    assert len(desk.postman.letters) == 1


def test_supervision_does_not_wait_out_the_night(desk) -> None:
    desk.clock.advance(timedelta(hours=14))
    desk.outbox.put("task_supervised", WANG)

    desk.dispatcher().deliver()

    assert len(desk.postman.letters) == 1


def test_a_dead_server_delays_the_letter_and_nothing_else(desk) -> None:
    desk.postman.refuse = DeliveryError("邮件服务器没有接受")
    desk.outbox.put("task_overdue", CLERKS)
    desk.outbox.put("task_overdue", WANG)
    dispatcher = desk.dispatcher()

    dispatcher.deliver()

    assert desk.outbox.sent == ["row-1", "row-2"]
    with desk.sessions() as session:
        attempts = sorted(session.scalars(select(DeliveryRow.attempts)))
    assert attempts == [0, 0, 1]  # one try, then the channel is left alone until the next call
    desk.postman.refuse = None
    desk.clock.advance(PAUSES[0])
    dispatcher.deliver()
    assert len(desk.postman.letters) == 3


def test_a_letter_is_given_up_after_the_last_pause(desk) -> None:
    desk.postman.refuse = DeliveryError("邮件服务器没有接受")
    desk.outbox.put("task_supervised", WANG)
    dispatcher = desk.dispatcher()
    dispatcher.deliver()

    for pause in PAUSES:
        assert only_delivery(desk).status == DeliveryStatus.WAITING.value
        desk.clock.advance(pause)
        dispatcher.deliver()

    assert only_delivery(desk).status == DeliveryStatus.FAILED.value
    assert only_delivery(desk).attempts == MOST_ATTEMPTS


def test_a_refusal_for_good_is_on_the_operators_list_at_once_and_can_be_repeated(desk) -> None:
    desk.postman.refuse = DeliveryError("邮件服务器答复 550：没有这个邮箱", permanent=True)
    desk.outbox.put("task_overdue", WANG)
    dispatcher = desk.dispatcher()
    dispatcher.deliver()

    with desk.write() as session:
        (failure,) = failures(session)
        assert failure.error == "邮件服务器答复 550：没有这个邮箱"
        assert "@" not in repr(failure)
        assert retry(session, failure.message_id, failure.channel, desk.clock.now())
        assert not retry(session, failure.message_id, failure.channel, desk.clock.now())
    desk.postman.refuse = None
    dispatcher.deliver()
    assert len(desk.postman.letters) == 1


def test_a_sender_that_dies_gives_the_letter_to_the_next_one_after_the_lease(desk) -> None:
    desk.outbox.put("task_supervised", WANG)
    dying = desk.dispatcher()

    def die(letter) -> None:
        raise KeyboardInterrupt

    desk.postman.send = die
    with pytest.raises(KeyboardInterrupt):
        dying.deliver()
    del desk.postman.send

    desk.dispatcher().deliver()
    assert desk.postman.letters == []
    desk.clock.advance(timedelta(minutes=5))
    desk.dispatcher().deliver()
    assert len(desk.postman.letters) == 1


def test_a_letter_that_kills_its_sender_every_time_is_given_up(desk) -> None:
    desk.outbox.put("task_supervised", WANG)
    desk.dispatcher().deliver(0)
    dispatcher = desk.dispatcher()

    def die(letter) -> None:
        raise KeyboardInterrupt

    desk.postman.send = die
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            dispatcher.deliver()
        desk.clock.advance(timedelta(minutes=5))
    dispatcher.deliver()

    assert only_delivery(desk).status == DeliveryStatus.FAILED.value


def test_an_address_taken_away_meanwhile_fails_the_letter(desk) -> None:
    desk.clock.advance(timedelta(hours=14))
    desk.outbox.put("task_overdue", WANG)
    desk.dispatcher().deliver()
    desk.set_person("wang", active=False)
    desk.clock.advance(timedelta(hours=9))

    desk.dispatcher().deliver()

    with desk.sessions() as session:
        assert failures(session)[0].error == "收件人已停用，或没有这个渠道的地址"
    assert desk.postman.letters == []


def test_a_server_that_stays_silent_is_tried_by_one_letter_a_pause_and_served_again(
    desk, monkeypatch
) -> None:
    tried = []
    send = desk.postman.send
    monkeypatch.setattr(
        desk.postman, "send", lambda letter: (tried.append(letter.id), send(letter))
    )
    desk.postman.refuse = DeliveryError("邮件服务器没有接受")
    for _ in range(20):
        desk.outbox.put("task_supervised", WANG)
    dispatcher = desk.dispatcher()

    for _ in range(200):
        dispatcher.deliver()
        desk.clock.advance(timedelta(seconds=1))

    # Three in a row, then one after 30 s and one after 60 s more: not one each second.
    assert len(tried) == 5
    desk.postman.refuse = None
    desk.clock.advance(timedelta(hours=1))
    dispatcher.deliver()
    assert len(desk.postman.letters) == 20


@pytest.mark.parametrize(
    ("known", "reached"),
    [
        ({"email": "wang@example.cn", "phone": "13800000001"}, {"mail", "sms", "hook"}),
        ({"email": None, "phone": "13800000001"}, {"sms", "hook"}),
        ({"email": "wang@example.cn", "phone": None}, {"mail", "hook"}),
        ({"email": None, "phone": None}, {"hook"}),
    ],
)
def test_each_channel_gets_the_address_it_asks_for_and_nobody_else(desk, known, reached) -> None:
    channels = [
        Postman(name="mail"),
        Postman(name="sms", reach=Reach.PHONE),
        Postman(name="hook", reach=Reach.ID),
    ]
    desk.set_person("wang", **known)
    desk.outbox.put("task_supervised", WANG)

    Dispatcher(desk.engine, channels, sessions=desk.write).deliver()

    got = {one.name: one.letters[0].to_address for one in channels if one.letters}
    assert got.keys() == reached
    addresses = {"mail": known["email"], "sms": known["phone"], "hook": "wang"}
    assert got == {name: addresses[name] for name in reached}
    # One message, one id, whatever way it goes: that is what receivers know it by again.
    assert len({letter.id for one in channels for letter in one.letters}) == 1


def test_a_dead_gateway_holds_up_no_mail(desk) -> None:
    mail = Postman(name="mail")
    sms = Postman(name="sms", reach=Reach.PHONE, refuse=DeliveryError("接收方没有应答"))
    tried = count_sends(sms)
    desk.set_person("wang", phone="13800000001")
    for _ in range(20):
        desk.outbox.put("task_supervised", WANG)
    dispatcher = Dispatcher(desk.engine, [sms, mail], sessions=desk.write)

    dispatcher.deliver()

    assert len(mail.letters) == 20
    assert len(tried) == 1


def test_the_circuit_opens_half_opens_and_closes_for_one_channel(desk) -> None:
    """Three failures, then one attempt a pause: 30 s, 60 s, 120 s …; one answer and all go out."""
    sms = Postman(name="sms", reach=Reach.PHONE, refuse=DeliveryError("接收方没有应答"))
    tried = count_sends(sms)
    desk.set_person("wang", phone="13800000001")
    for _ in range(30):
        desk.outbox.put("task_supervised", WANG)
    dispatcher = Dispatcher(desk.engine, [sms], sessions=desk.write)
    attempts = {}
    for second in range(241):
        dispatcher.deliver()
        attempts[second] = len(tried)
        desk.clock.advance(timedelta(seconds=1))

    table = [(2, 3), (31, 3), (32, 4), (91, 4), (92, 5), (211, 5), (212, 6), (240, 6)]
    assert [(second, attempts[second]) for second, _ in table] == table
    sms.refuse = None
    desk.clock.advance(timedelta(minutes=20))
    dispatcher.deliver()
    assert len(sms.letters) == 30


def count_sends(postman: Postman) -> list[str]:
    tried: list[str] = []
    send = postman.send

    def counted(letter: Letter) -> None:
        tried.append(letter.id)
        send(letter)

    postman.send = counted
    return tried
