"""One's own account: name, address, password, second factor, sessions, taking one's data along, deleting it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request

from party import (
    credentials,
    files,
    letters,
    names,
    passwords,
    people,
    personal,
    secondfactor,
    sessions,
    under_way,
    uploads,
)
from party.change import Person
from party.credentials import WrongPassword
from party.errors import NotKnown, Refusal
from web.guard import theme
from web.listing import machine_time, page_number, when
from web.rooms import picture
from web.viewer import actor, forget, remember, viewer

own_pages = Blueprint("own", __name__)

Answer = Any
DONE = {
    "made": "Your account is made, and you are signed in.",
    "name": "Your name is changed, in every room at once.",
    "password": "Your password is changed. Everybody else is signed out.",
    "email": "Your address is changed.",
    "email_sent": "A letter with a link is on its way to the new address. Until it is followed nothing changes.",
    "off": "Your second factor is off.",
    "session": "That session has ended.",
    "upload": "That upload is called off. Its space is free again.",
    "file": "That file is yours no more. Its space is free again.",
}


@own_pages.get("/account")
def show_account() -> Answer:
    """Everything one can see and change of oneself."""
    if viewer() is None:
        return redirect("/sign-in?next=/account", 302)
    return account_page()


@own_pages.post("/account/name")
def rename() -> Answer:
    """Change the name people see."""
    name = request.form.get("display_name", "")
    return changed("display_name", "name", lambda: people.rename(actor(), names.clean_name(name)))


@own_pages.post("/account/password")
def change_password() -> Answer:
    """A new password; everybody else is signed out."""
    old, new = request.form.get("old_password", ""), request.form.get("new_password", "")
    tokens: list[str] = []

    def act() -> None:
        passwords.check_strength(new)
        tokens.append(credentials.change_password(actor(), old, new, device()))

    answer = changed("new_password", "password", act, "old_password")
    if tokens:
        remember(answer, tokens[0])
    return answer


@own_pages.post("/account/email")
def change_email() -> Answer:
    """Move the account to another address."""
    form, moved = request.form, []

    def act() -> None:
        moved.append(credentials.change_email(actor(), form.get("email_password", ""), form.get("email", "")))

    return changed("email", lambda: "email" if moved[0] else "email_sent", act, "email_password")


@own_pages.post("/account/second-factor")
def begin_second_factor() -> Answer:
    """Show the picture for the app."""
    password = request.form.get("factor_password", "")
    return changed("factor_password", "", lambda: secondfactor.begin(actor(), password), "factor_password")


@own_pages.post("/account/second-factor/confirmation")
def confirm_second_factor() -> Answer:
    """Turn it on by its first code; the recovery codes are shown this once."""
    return _with_codes(
        "factor_code", lambda: secondfactor.confirm(actor(), request.form.get("factor_code", ""))
    )


@own_pages.post("/account/second-factor/cancellation")
def cancel_second_factor() -> Answer:
    """Forget the picture."""
    return changed("factor_password", "", lambda: secondfactor.cancel(actor()))


@own_pages.post("/account/second-factor/codes")
def renew_recovery_codes() -> Answer:
    """New recovery codes, shown this once."""
    password = request.form.get("factor_password", "")
    return _with_codes("factor_password", lambda: secondfactor.renew_codes(actor(), password))


@own_pages.post("/account/second-factor/removal")
def turn_off_second_factor() -> Answer:
    """Sign in with the password alone again."""
    password = request.form.get("factor_password", "")
    return changed(
        "factor_password", "off", lambda: secondfactor.turn_off(actor(), password), "factor_password"
    )


@own_pages.get("/account/sessions")
def show_sessions() -> Answer:
    """Where one is signed in: a part of the account's page."""
    return redirect("/account#sessions", 302)


@own_pages.post("/account/sessions/<handle>/removal")
def end_session(handle: str) -> Answer:
    """End one session."""
    return changed("sessions", "session", lambda: sessions.end_one(actor(), handle))


@own_pages.get("/account/export.json")
def export() -> Response:
    """Everything that is kept about the person, as a file."""
    text = json.dumps(personal.export(actor()), ensure_ascii=False, indent=2)
    response = Response(text, mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="partyline.json"'
    return response


@own_pages.post("/account/delete")
def delete() -> Answer:
    """Delete the person and all their data."""
    password, is_sure = request.form.get("delete_password", ""), request.form.get("sure") == "yes"
    if not is_sure:
        return account_page({"sure": "Tick the box if you mean it. Nothing was deleted."}), 422
    gone: list[bool] = []

    def act() -> None:
        personal.delete(actor(), password)
        gone.append(True)

    answer = changed("delete_password", "", act, "delete_password")
    if not gone:
        return answer
    response = make_response(redirect("/", 303))
    forget(response)
    return response


def account_page(errors: dict[str, str] | None = None) -> str:
    """The account's page as things are now, with what was wrong beside its field."""
    known = viewer()
    if known is None:
        raise NotKnown("Sign in first, then try again.")
    person = Person(known.user_id)
    factor = secondfactor.state(person) if known.has_account else None
    return render_template(
        "pages/account.html",
        theme=theme(),
        known=known,
        devices=sessions.devices(person, known.session),
        files=files.find_own(person, page_number()),
        unfinished=under_way.unfinished(known.user_id),
        used=uploads.used_words(known.user_id),
        size_words=uploads.size_words,
        when=when,
        machine_time=machine_time,
        factor=factor,
        qr=picture(factor.setup.address) if factor and factor.setup else None,
        form=request.form,
        errors=errors or {},
        done=DONE.get(request.args.get("done", ""), ""),
        has_letters=letters.can_send(),
        ago=sessions.ago,
    )


def changed(
    field: str, done: str | Callable[[], str], act: Callable[[], object], password_field: str = ""
) -> Answer:
    """Do it and show the account as it is then; else the sentence beside the field it is about."""
    try:
        act()
    except NotKnown:
        raise
    except Refusal as refusal:
        at = password_field if password_field and isinstance(refusal, WrongPassword) else field
        return account_page({at: refusal.message}), refusal.status
    word = done() if callable(done) else done
    return redirect(f"/account?done={word}" if word else "/account#second-factor", 303)


def device() -> str:
    """The browser that asks, in a few words."""
    return sessions.device_words(request.headers.get("User-Agent", ""))


def _with_codes(field: str, act: Callable[[], list[str]]) -> Answer:
    codes: list[str] = []
    answer = changed(field, "", lambda: codes.extend(act()), field)
    return render_template("pages/account_codes.html", theme=theme(), codes=codes) if codes else answer
