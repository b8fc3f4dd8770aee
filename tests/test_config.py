"""Settings are typed, have a default, and are refused in one sentence when wrong."""

import multiprocessing
import os
import re
from dataclasses import fields
from pathlib import Path

import pytest

from config import ROOT, BadSetting, Settings, load
from media import registry


def test_nothing_given_is_the_default(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path)})
    assert (settings.host, settings.port, settings.public_url) == ("0.0.0.0", 8000, "")
    assert (settings.database_url, settings.redis_url) == ("", "")
    assert (settings.grace_seconds, settings.demo, settings.web_concurrency) == (300, True, 1)
    assert (settings.max_sockets, settings.max_sockets_per_person) == (3500, 5)
    assert (settings.max_sockets_per_network, settings.max_actions_per_minute) == (50, 240)


def test_an_empty_value_counts_as_not_given(tmp_path: Path) -> None:
    empty = {field.name.upper(): "" for field in fields(Settings)} | {"DATA_DIR": str(tmp_path)}
    assert load(empty) == load({"DATA_DIR": str(tmp_path)})


def test_values_arrive_typed(tmp_path: Path) -> None:
    settings = load(
        {
            "DATA_DIR": str(tmp_path / "deep" / "data"),
            "PORT": " 8080 ",
            "DEMO": "off",
            "HOST": "::",
            "PUBLIC_URL": "https://Party.example.org/",
            "SECRET_KEY": "sixteen letters!",
            "MAX_SOCKETS": "0",
            "DATABASE_URL": "postgresql://ada@localhost/partyline",
            "REDIS_URL": "redis://localhost:6379/0",
        }
    )
    assert settings.port == 8080
    assert settings.demo is False
    assert settings.host == "::"
    assert settings.public_url == "https://party.example.org"
    assert settings.secret_key == "sixteen letters!"
    assert settings.max_sockets == 0
    assert settings.data_dir.is_dir()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "8_000"),
        ("PORT", "80.5"),
        ("PORT", "٨٠"),
        ("HOST", "http://localhost"),
        ("HOST", "two words"),
        ("DEMO", "2"),
        ("GRACE_SECONDS", "0"),
        ("GRACE_SECONDS", "86401"),
        ("MAX_SOCKETS", "-1"),
        ("MAX_ACTIONS_PER_MINUTE", "none"),
        ("PUBLIC_URL", "party.example.org"),
        ("PUBLIC_URL", "ftp://party.example.org"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://ada:secret@party.example.org"),
        ("PUBLIC_URL", "https://party.example.org/rooms"),
        ("PUBLIC_URL", "https://party.example.org?x"),
        ("PUBLIC_URL", "https://party.example.org:port"),
        ("WEB_CONCURRENCY", "0"),
    ],
)
def test_a_bad_value_is_refused_and_shown(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name} is {re.escape(repr(value))}; it must be .*\\.$"):
        load({"DATA_DIR": str(tmp_path), name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "hunter2"),
        ("DATABASE_URL", "mysql://ada:hunter2@localhost/x"),
        ("REDIS_URL", "localhost?password=hunter2"),
    ],
)
def test_a_refusal_does_not_repeat_a_secret(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name} ") as refused:
        load({"DATA_DIR": str(tmp_path), name: value})
    assert "hunter2" not in str(refused.value)


def test_settings_do_not_print_their_secrets(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path), "REDIS_URL": "redis://:hunter2@localhost"})
    assert "hunter2" not in repr(settings)
    assert settings.secret_key not in repr(settings)


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting, match="^DATA_DIR is .*cannot write"):
        load({"DATA_DIR": str(tmp_path / "file")})


def test_a_bad_setting_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadSetting):
        load({"DATA_DIR": str(tmp_path / "data"), "PORT": "eighty"})
    assert list(tmp_path.iterdir()) == []


def test_a_relative_folder_counts_from_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    relative = Path(os.path.relpath(tmp_path / "data", ROOT))
    assert load({"DATA_DIR": str(relative)}).data_dir == tmp_path / "data"


def test_the_key_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    key = load({"DATA_DIR": str(tmp_path)}).secret_key
    assert len(key) == 64
    assert load({"DATA_DIR": str(tmp_path)}).secret_key == key
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_given_key_is_not_kept(tmp_path: Path) -> None:
    load({"DATA_DIR": str(tmp_path), "SECRET_KEY": "x" * 40})
    assert not (tmp_path / "secret_key").exists()


def test_a_key_file_left_empty_by_a_crash_is_filled(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch(0o600)
    assert len(load({"DATA_DIR": str(tmp_path)}).secret_key) == 64


def test_a_key_file_with_too_short_a_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("hunter2\n")
    with pytest.raises(BadSetting, match="^SECRET_KEY is empty and the key in .* is too short"):
        load({"DATA_DIR": str(tmp_path)})


def _key(folder: str) -> str:
    return load({"DATA_DIR": folder}).secret_key


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        for attempt in range(10):
            assert len(set(pool.map(_key, [str(tmp_path / str(attempt))] * 4, chunksize=1))) == 1


def test_every_setting_is_explained_in_the_example_file() -> None:
    named = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(field.name.upper() for field in fields(Settings))


def test_the_example_file_shows_the_defaults(tmp_path: Path) -> None:
    lines = re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert load(dict(lines) | {"DATA_DIR": str(tmp_path)}) == load({"DATA_DIR": str(tmp_path)})


def test_the_providers_that_may_be_switched_off_are_those_there_are() -> None:
    example = (ROOT / ".env.example").read_text()
    told = re.search(
        r"^# Providers of media that are switched off, by name: ([a-z \n#]+)\.", example, re.MULTILINE
    )
    names = [each.name for each in registry.PROVIDERS] + list(registry.SERVERS)
    assert told and sorted(re.findall("[a-z]+", told[1])) == sorted(names)


def test_letters_need_an_address_for_the_links_they_carry(tmp_path: Path) -> None:
    data = {"DATA_DIR": str(tmp_path), "SMTP_URL": "smtp://ada:secret@mail.example.org:587"}
    with pytest.raises(BadSetting, match="PUBLIC_URL"):
        load(data)
    settings = load({**data, "PUBLIC_URL": "https://party.example.org:8443"})
    assert settings.mail_from == "partyline@party.example.org" and "secret" not in repr(settings)
    assert load({**data, "PUBLIC_URL": "https://p.org", "MAIL_FROM": "ada@p.org"}).mail_from == "ada@p.org"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_URL", "mail.example.org"),
        ("SMTP_URL", "http://mail.example.org"),
        ("SMTP_URL", "smtp://:587"),
        ("SMTP_URL", "smtp://mail.example.org/path"),
        ("MAIL_FROM", "not an address"),
        ("MAIL_FROM", "ada@example.org\nBcc: x@y.org"),
    ],
)
def test_mail_settings_that_make_no_sense_are_refused(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name):
        load({"DATA_DIR": str(tmp_path), "PUBLIC_URL": "https://party.example.org", name: value})
