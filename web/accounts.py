"""Signing up, in and out, and the links that letters carry. One's own account is web/account.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from party import accounts, attempts, credentials, letters, links, names, passwords, sessions
from party.accounts import Visit, WrongCode
from party.errors import Invalid, Refusal
from web.account import own_pages
from web.guard import theme
from web.pages import local_address
from web.viewer import actor, forget, remember, viewer

account_pages = Blueprint("accounts", __name__)
account_pages.register_blueprint(own_pages)

Answer = Response | str | tuple[str, int]


@account_pages.get("/sign-up")
def show_sign_up() -> Answer:
    """The form for a new account."""
    known = viewer()
    if known is not None and known.has_account:
        return redirect(_next() or "/account", 302)
    return page("sign_up", form=request.args)


@account_pages.post("/sign-up")
def sign_up() -> Answer:
    """Ask for an account; the answer is the same whether the address was free."""
    form, known = request.form, viewer()
    typed = {name: form.get(name, "") for name in ("email", "password", "display_name")}
    if known is not None:
        typed["display_name"] = known.name
    email, password, name = typed.values()
    errors = complaints(
        email=lambda: letters.clean_address(email),
        password=lambda: passwords.check_strength(password, email, name),
        display_name=lambda: names.clean_name(name),
    )
    if errors:
        return page("sign_up", form=form, errors=errors), Invalid.status
    return tried("sign_up", lambda: _signed_up(accounts.sign_up(email, password, visit(), name, known)))


@account_pages.get("/sign-in")
def show_sign_in() -> Answer:
    """The form for who has an account."""
    known = viewer()
    if known is not None and known.has_account:
        return redirect(_next() or "/account", 302)
    return page("sign_in", form=request.args)


@account_pages.post("/sign-in")
def sign_in() -> Answer:
    """Open a session, or ask for the second factor."""
    email, password = request.form.get("email", ""), request.form.get("password", "")

    def act() -> Answer:
        arrival = accounts.sign_in(email, password, visit(), viewer())
        if arrival.token is None:
            return page("sign_step", form=request.form, ticket=arrival.ticket)
        return _arrived(arrival.token)

    return tried("sign_in", act)


@account_pages.post("/sign-in/code")
def answer_second_step() -> Answer:
    """The second factor's code."""
    ticket, code = request.form.get("ticket", ""), request.form.get("code", "")
    return tried(
        "sign_step",
        lambda: _arrived(accounts.answer_second_step(ticket, code, visit(), viewer())),
        ticket=ticket,
    )


@account_pages.post("/sign-out")
def sign_out() -> Response:
    """End this session."""
    known = viewer()
    if known is not None:
        sessions.end(known.session)
    return _left()


@account_pages.post("/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    """End every session of the person."""
    sessions.sign_out_everywhere(actor())
    return _left()


@account_pages.get("/forgot")
def show_forgot() -> Answer:
    """What to do about a forgotten password."""
    return page("sign_forgot", form=request.args, has_letters=letters.can_send())


@account_pages.post("/forgot")
def request_reset() -> Answer:
    """Have a link mailed; the answer is the same for every address."""
    email = request.form.get("email", "")
    errors = complaints(email=lambda: letters.clean_address(email))
    if errors:
        return page("sign_forgot", form=request.form, errors=errors, has_letters=letters.can_send()), 422

    def act() -> Answer:
        accounts.request_reset(email, visit())
        return page("sign_said", said="reset_sent")

    return tried("sign_forgot", act, has_letters=letters.can_send())


@account_pages.get("/reset/<token>")
def show_reset(token: str) -> Answer:
    """The form behind a reset link. Looking uses nothing up: mail programs look too."""
    return page("sign_reset", email=links.read(token, "reset").email)


@account_pages.post("/reset/<token>")
def reset_password(token: str) -> Answer:
    """Set a new password by link; then one signs in with it."""
    password, email = request.form.get("password", ""), links.read(token, "reset").email
    errors = complaints(password=lambda: passwords.check_strength(password, email))
    if errors:
        return page("sign_reset", email=email, errors=errors), Invalid.status
    address = accounts.reset_password(token, password)
    response = make_response(page("sign_in", form={"email": address}, said="password_set"))
    forget(response)
    return response


@account_pages.get("/confirm/<token>")
def show_confirm(token: str) -> Answer:
    """The button behind a mailed link. Looking uses nothing up: mail programs look too."""
    link = links.read(token, "confirm", "email")
    return page("sign_confirm", purpose=link.purpose, email=link.email)


@account_pages.post("/confirm/<token>")
def confirm(token: str) -> Answer:
    """Make the account, or move it to its new address."""
    link = links.read(token, "confirm", "email")
    if link.purpose == "email":
        credentials.confirm_email(token)
        return page("sign_said", said="email_moved")
    opened = accounts.confirm(token, visit(), viewer())
    if opened is not None:
        return _arrived(opened, "/account?done=made")
    return page("sign_in", form={"email": link.email}, said="confirmed")


def page(name: str, **values: Any) -> str:
    """A page of this door; what it is not given is empty. Passwords are never written back into a form."""
    return render_template(
        f"pages/{name}.html",
        **{
            "theme": theme(),
            "form": {},
            "errors": {},
            "said": "",
            "known": viewer(),
            "next": _next(),
            "has_letters": letters.can_send(),
            **values,
        },
    )


def tried(name: str, act: Callable[[], Answer], **values: Any) -> Answer:
    """Do it, or show the form again with the sentence above it, or beside the code it is about."""
    try:
        return act()
    except Refusal as refusal:
        field = "code" if isinstance(refusal, WrongCode) else "form"
        return page(name, form=request.form, errors={field: refusal.message}, **values), refusal.status


def complaints(**checks: Callable[[], Any]) -> dict[str, str]:
    """Which fields cannot be what was typed, each with its sentence."""
    errors = {}
    for field, check in checks.items():
        try:
            check()
        except Invalid as refusal:
            errors[field] = refusal.message
    return errors


def visit() -> Visit:
    """Where this request comes from."""
    return Visit(
        attempts.network_of(request.remote_addr or ""),
        sessions.device_words(request.headers.get("User-Agent", "")),
    )


def _next() -> str:
    asked = request.values.get("next", "")
    return local_address(asked) if asked else ""


def _arrived(token: str, address: str = "") -> Response:
    response = make_response(redirect(address or _next() or "/", 303))
    remember(response, token)
    return response


def _left() -> Response:
    response = make_response(redirect("/", 303))
    forget(response)
    return response


def _signed_up(token: str | None) -> Answer:
    if not letters.can_send():
        return page("sign_in", form={"email": request.form.get("email", "")}, said="signed_up")
    response = make_response(page("sign_said", said="confirm_sent"))
    if token is not None:
        remember(response, token)
    return response
