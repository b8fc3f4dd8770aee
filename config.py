"""Every setting, read once from the environment, typed, refusing to start when wrong.

An empty value counts as not given. Standard library only: `bin/run` reads this before anything is installed.
"""

import fcntl
import os
import re
import secrets
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent


class BadSetting(ValueError):
    """One sentence for the person who starts the program: which setting, what it was, what it may be."""


@dataclass(frozen=True)
class Settings:
    """What `.env.example` describes, checked; what may hold a password is kept out of its repr."""

    host: str
    port: int
    data_dir: Path
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    public_url: str
    smtp_url: str = field(repr=False)
    mail_from: str
    grace_seconds: int
    demo: bool
    max_sockets: int
    max_sockets_per_person: int
    max_sockets_per_network: int
    max_actions_per_minute: int
    web_concurrency: int
    upload_mb: int
    quota_person_mb: int
    quota_room_mb: int
    media_url: str = field(repr=False)
    providers_off: tuple[str, ...]
    embed_providers: dict[str, tuple[str, str]]
    private_hosts: tuple[str, ...]
    jamendo_client_id: str = field(repr=False)
    spotify_client_id: str = field(repr=False)


def load(environ: Mapping[str, str]) -> Settings:
    """Settings from these variables. Makes the data folder and, if none is given, the key kept in it."""
    host = _host(environ, "HOST", "0.0.0.0")
    port = _integer(environ, "PORT", 8000, 1, 65535)
    database_url = _address(environ, "DATABASE_URL", ("postgresql", "postgres"))
    redis_url = _address(environ, "REDIS_URL", ("redis", "rediss", "unix"))
    public_url = _origin(environ, "PUBLIC_URL")
    smtp_url = _mail_server(environ, "SMTP_URL", public_url)
    mail_from = _sender(environ, "MAIL_FROM", public_url)
    grace_seconds = _integer(environ, "GRACE_SECONDS", 300, 1, 86_400)
    demo = _boolean(environ, "DEMO", True)
    max_sockets = _integer(environ, "MAX_SOCKETS", 3500, 0, 1_000_000)
    max_sockets_per_person = _integer(environ, "MAX_SOCKETS_PER_PERSON", 5, 0, 1_000_000)
    max_sockets_per_network = _integer(environ, "MAX_SOCKETS_PER_NETWORK", 50, 0, 1_000_000)
    max_actions_per_minute = _integer(environ, "MAX_ACTIONS_PER_MINUTE", 240, 0, 1_000_000)
    web_concurrency = _integer(environ, "WEB_CONCURRENCY", 1, 1, 64)
    upload_mb = _integer(environ, "UPLOAD_MB", 1024, 1, 1_000_000)
    quota_person_mb = _integer(environ, "QUOTA_PERSON_MB", 5_120, 0, 100_000_000)
    quota_room_mb = _integer(environ, "QUOTA_ROOM_MB", 20_480, 0, 100_000_000)
    media_url = _bucket(environ, "MEDIA_URL")
    providers_off = _words(environ, "PROVIDERS_OFF", r"[a-z]+")
    embed_providers = _templates(environ, "EMBED_PROVIDERS")
    private_hosts = _words(environ, "PRIVATE_HOSTS", r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
    jamendo_client_id = _text(environ, "JAMENDO_CLIENT_ID")
    spotify_client_id = _text(environ, "SPOTIFY_CLIENT_ID")
    # Last, so that nothing is written when any other setting is wrong.
    data_dir = _folder(environ, "DATA_DIR", ROOT / "data")
    secret_key = _secret(environ, "SECRET_KEY", data_dir / "secret_key")
    return Settings(
        host=host,
        port=port,
        data_dir=data_dir,
        database_url=database_url,
        redis_url=redis_url,
        secret_key=secret_key,
        public_url=public_url,
        smtp_url=smtp_url,
        mail_from=mail_from,
        grace_seconds=grace_seconds,
        demo=demo,
        max_sockets=max_sockets,
        max_sockets_per_person=max_sockets_per_person,
        max_sockets_per_network=max_sockets_per_network,
        max_actions_per_minute=max_actions_per_minute,
        web_concurrency=web_concurrency,
        upload_mb=upload_mb,
        quota_person_mb=quota_person_mb,
        quota_room_mb=quota_room_mb,
        media_url=media_url,
        providers_off=providers_off,
        embed_providers=embed_providers,
        private_hosts=private_hosts,
        jamendo_client_id=jamendo_client_id,
        spotify_client_id=spotify_client_id,
    )


def _text(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()


def _integer(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = _text(environ, name)
    if not text:
        return default
    # int() alone would also take "1_000" and other scripts' digits.
    if re.fullmatch(r"[0-9]{1,12}", text) and low <= int(text) <= high:
        return int(text)
    raise BadSetting(f"{name} is {text!r}; it must be a whole number from {low} to {high}.")


def _boolean(environ: Mapping[str, str], name: str, default: bool) -> bool:
    text = _text(environ, name).lower()
    if not text:
        return default
    if text in ("1", "true", "yes", "on"):
        return True
    if text in ("0", "false", "no", "off"):
        return False
    raise BadSetting(f"{name} is {text!r}; it must be 1 or 0.")


def _host(environ: Mapping[str, str], name: str, default: str) -> str:
    text = _text(environ, name) or default
    if re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+(%[A-Za-z0-9]+)?", text):
        return text
    raise BadSetting(f"{name} is {text!r}; it must be an address to listen on, such as 0.0.0.0 or 127.0.0.1.")


def _address(environ: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    text = _text(environ, name)
    scheme, mark, rest = text.partition("://")
    if not text or (mark and rest and scheme in schemes):
        return text
    # The address may hold a password, so the sentence does not repeat it.
    allowed = " or ".join(f"{known}://" for known in schemes)
    raise BadSetting(f"{name} is not an address we know; it must begin with {allowed}, or be left empty.")


def _origin(environ: Mapping[str, str], name: str) -> str:
    text = _text(environ, name)
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        good = (
            parts.scheme in ("http", "https")
            and re.fullmatch(r"[A-Za-z0-9.-]+|[0-9a-f:.]+", parts.hostname or "")
            and "@" not in parts.netloc
            and (parts.port is None or parts.port > 0)
            and parts.path in ("", "/")
            and not re.search(r"[?#\s]", text)
        )
    except ValueError:
        good = False
    if good:
        return f"{parts.scheme}://{parts.netloc.lower()}"
    raise BadSetting(
        f"{name} is {text!r}; it must be what people type, such as https://party.example.org, without a path."
    )


def _bucket(environ: Mapping[str, str], name: str) -> str:
    """s3://KEY:SECRET@HOST[:PORT]/BUCKET[/PREFIX][?region=…&insecure=1], or nothing for the local folder."""
    text = _address(environ, name, ("s3",))
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        good = bool(parts.hostname and parts.username and parts.password and parts.path.strip("/"))
        good = good and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise BadSetting(
            f"{name} is not an address we know; it is like s3://key:secret@s3.example.org/bucket."
        )
    return text


def _words(environ: Mapping[str, str], name: str, pattern: str) -> tuple[str, ...]:
    words = tuple(word for word in re.split(r"[\s,]+", _text(environ, name)) if word)
    for word in words:
        if not re.fullmatch(pattern, word):
            raise BadSetting(f"{name} holds {word!r}, which is not a word of the kind it lists.")
    return words


def _templates(environ: Mapping[str, str], name: str) -> dict[str, tuple[str, str]]:
    """NAME=MOVIE|TV for each provider, parted by spaces: https templates with {id}, for tv {season}, {episode}."""
    known: dict[str, tuple[str, str]] = {}
    for word in _text(environ, name).split():
        key, mark, rest = word.partition("=")
        movie, bar, tv = rest.partition("|")
        good = mark and bar and re.fullmatch(r"[a-z][a-z0-9]{0,11}", key)
        if not good or not _is_template(movie, ("id",)) or not _is_template(tv, ("id", "season", "episode")):
            raise BadSetting(
                f"{name} holds {word!r}; a provider is like "
                "films=https://films.example/movie/{id}|https://films.example/tv/{id}/{season}/{episode}."
            )
        known[key] = (movie, tv)
    return known


def _is_template(text: str, names: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        has_host = bool(re.fullmatch(r"[A-Za-z0-9.-]+", parts.hostname or "")) and "@" not in parts.netloc
        _ = parts.port
    except ValueError:
        return False
    is_plain = parts.scheme == "https" and not parts.query and not parts.fragment
    return has_host and is_plain and sorted(re.findall(r"\{([^{}]*)\}", parts.path)) == sorted(names)


def _mail_server(environ: Mapping[str, str], name: str, public_url: str) -> str:
    text = _address(environ, name, ("smtp", "smtps"))
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        good = bool(parts.hostname) and parts.path in ("", "/") and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise BadSetting(
            f"{name} is not an address we know; it is like smtp://user:password@mail.example.org:587."
        )
    if not public_url:
        # A link made from what a request calls us could lead to whoever asked.
        raise BadSetting(f"{name} is set and PUBLIC_URL is not; letters need it for the links they carry.")
    return text


def _sender(environ: Mapping[str, str], name: str, public_url: str) -> str:
    text = _text(environ, name)
    if not text:
        host = urlsplit(public_url).hostname or "localhost"
        return f"partyline@{f'[{host}]' if ':' in host else host}"
    if re.fullmatch(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+", text):
        return text
    raise BadSetting(f"{name} is {text!r}; it must be an e-mail address, such as party@example.org.")


def _folder(environ: Mapping[str, str], name: str, default: Path) -> Path:
    # A relative path counts from the project, so that every process means the same folder.
    path = (ROOT / (_text(environ, name) or default)).resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise BadSetting(
            f"{name} is {str(path)!r}, where we cannot write ({error.strerror}); name another folder."
        ) from error
    return path


def _secret(environ: Mapping[str, str], name: str, kept: Path) -> str:
    text = _text(environ, name)
    if text and len(text) < 16:
        raise BadSetting(f"{name} has {len(text)} characters; it must have at least 16, or be left empty.")
    return text or _kept_secret(name, kept)


def _kept_secret(name: str, kept: Path) -> str:
    """The key in this file, made by whoever comes first: web and worker start together and must agree."""
    try:
        with os.fdopen(os.open(kept, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            text = file.read().strip()
            if not text:
                text = secrets.token_hex(32)
                file.seek(0)
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(
            f"{name} is empty and {str(kept)!r} cannot be read; remove it or give the key."
        ) from error
    if len(text) < 16:
        raise BadSetting(
            f"{name} is empty and the key in {str(kept)!r} is too short; remove it or give the key."
        )
    return text


def lan_address() -> str:
    """The address other machines of this network see, or nothing. No packet is sent for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        address = str(probe.getsockname()[0])
    return "" if address.startswith("127.") else address


settings = load(os.environ)
