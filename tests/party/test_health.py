"""What nobody may ask for any more goes; what somebody may come back to stays."""

from __future__ import annotations

from models import Member, Session, SiteEvent, User
from party import health, people
from party.change import Person
from tests.stage import Cast

DAY = 86_400


def test_a_guest_goes_when_nobody_can_be_them_and_no_room_remembers_them(cast: Cast, time) -> None:
    passer_by = Person(people.enter("Somebody passing")[0])
    time.move(91 * DAY)
    staying = Person(people.enter("Somebody staying")[0])
    health.tidy()
    assert not Session.select().where(Session.user == passer_by.user_id).exists()
    assert User.get_or_none(User.id == passer_by.user_id) is None
    assert User.get_or_none(User.id == staying.user_id) is not None
    # Ada opened a room, Cleo has a seat: their names are still read there.
    assert {cast.ada.user_id, cast.cleo.user_id} <= {user.id for user in User.select()}
    assert Member.select().count() == 3


def test_failed_sign_ins_are_kept_a_month_and_the_rest_of_the_log_a_year(database, time) -> None:
    for kind in ("sign_in_failed", "library_seeded"):
        SiteEvent.insert(kind=kind, actor=None, data={}, at=time.now_ms).execute()
    time.move(31 * DAY)
    health.tidy()
    assert [event.kind for event in SiteEvent.select()] == ["library_seeded"]
    time.move(366 * DAY)
    health.tidy()
    assert not SiteEvent.select().exists()
