"""Where links of strangers may not lead: eighty ways to write an address of the house, pasted and as redirects, and
not one connection; names that change their mind; the few hosts that the operator named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from config import settings
from media import net_address
from media.fetch import fetch, stream
from media.net_address import NOT_HTTPS, NOT_THERE, ODD_PORT, is_public, parse
from media.net_wire import Internet
from media.provider import Trouble
from tests.media.servers import OTHER_PUBLIC, PUBLIC, Canary, Elsewhere, Roads, answer, certified, elsewhere

NAMES = {
    "inside.example": ["10.0.0.7"],
    "loop.example": ["127.0.0.1"],
    "loop6.example": ["::1"],
    "link.example": ["169.254.169.254"],
    "shared.example": ["100.64.0.1"],
    "zero.example": ["0.0.0.0"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "ula.example": ["fd00::1"],
    "zoned.example": ["fe80::1%lo"],
    "mixed.example": [PUBLIC, "192.168.0.10"],
    "mixed6.example": [PUBLIC, OTHER_PUBLIC, "::1"],
    "junk.example": ["not an address"],
    "many.example": ["1.1.1.1"] * 30 + ["127.0.0.1"],
}

FORMS = [
    # other schemes
    "http://files.example/", "ftp://files.example/", "file:///etc/passwd", "gopher://127.0.0.1:70/_x",
    "dict://127.0.0.1:6379/info", "javascript:alert(1)", "data:text/html,hello", "//127.0.0.1/", "https:/127.0.0.1/",
    "https:127.0.0.1/", "jar:https://127.0.0.1!/x", "ldap://127.0.0.1/",
    # somebody's name in front
    "https://user@127.0.0.1/", "https://files.example@127.0.0.1/", "https://files.example:443@127.0.0.1/",
    "https://127.0.0.1@files.example/", "https://user:secret@files.example/", "https://@127.0.0.1/",
    "https://files.example%40127.0.0.1/",
    # ports
    "https://files.example:22/", "https://files.example:6379/", "https://files.example:80/", "https://files.example:0/",
    "https://files.example:65536/", "https://files.example:443:80/", "https://files.example:/", "https://127.0.0.1:8443/",
    "https://files.example:４４３/",
    # signs that two readers read differently
    "https:\\\\127.0.0.1\\", "https://files.example\\@127.0.0.1/", "https://127.0.0.1\\.files.example/",
    "https://127.0.0.1\t/", "https://127.0.0\n.1/", "https://127.0.0.1\r\n/", "https://files.example /",
    "https://127.0.0.1%00.files.example/", "https://127.0.0.1%2f.files.example/", "https://\x7f127.0.0.1/",
    # IPv4, plain and in other clothes
    "https://127.0.0.1/", "https://127.0.0.1./", "https://127.1/", "https://127.0.1/", "https://2130706433/",
    "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://017700000001/",
    "https://127.0.0.01/", "https://0/", "https://0.0.0.0/", "https://10.1.2.3/", "https://172.16.0.1/",
    "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data/", "https://100.100.100.200/",
    "https://198.18.0.1/", "https://192.0.0.8/", "https://192.88.99.1/", "https://224.0.0.1/", "https://240.0.0.1/",
    "https://255.255.255.255/", "https://1.2.3/", "https://256.1.1.1/", "https://files.example.0x7f/",
    # IPv6
    "https://[::1]/", "https://[::]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[64:ff9b:1::a00:1]/",
    "https://[2002:7f00:1::]/", "https://[2001:0:7f00:1::]/", "https://[fe80::1]/", "https://[fe80::1%25lo]/",
    "https://[fc00::1]/", "https://[fd12:3456::1]/", "https://[fec0::1]/", "https://[ff02::1]/",
    "https://[2001:db8::1]/", "https://[100::1]/", "https://[5f00::1]/", "https://[3fff::1]/", "https://::1/", "https://[::1/",
    f"https://[{OTHER_PUBLIC}%25eth0]/", "https://[2607:f8b0::5efe:7f00:1]/",
    # names of the house
    "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://x.localhost/", "https://router/",
    "https://nas.local/", "https://nas.lan/", "https://metadata.google.internal/", "https://box.home.arpa/",
    "https://files.example../", "https://.files.example/", "https://a..b/", "https://-x.example/", "https:///x",
    # other letters for the same
    "https://①②⑦.⓪.⓪.①/", "https://１２７.０.０.１/", "https://127。0。0。1/", "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "https://ｌｏｃａｌｈｏｓｔ/",
    "https://loc\u00adalhost/", "https://local\u200bhost/", "https://127.0.0.1\u3002/", "https://\u202e1.0.0.721/",
    "https://nas.ｌｏｃａｌ/",
    # names that lead into the house
    *(f"https://{name}/" for name in NAMES),
]  # fmt: skip

PATHS_AS_REDIRECTS = ("https:/127.0.0.1/", "https:127.0.0.1/", "https:///x")
"""Read against the address that sends on, those are paths of the same site, which is no way into anywhere."""


@pytest.fixture
def canary() -> Iterator[Canary]:
    listening = Canary()
    yield listening
    listening.close()


@pytest.fixture
def roads(canary: Canary) -> Roads:
    return Roads(canary, dict(NAMES))


def refused(url: str, internet: Internet, wanted=settings, seconds: float = 2.0) -> str:
    with pytest.raises(Trouble) as trouble:
        fetch(url, wanted, seconds=seconds, internet=internet)
    return trouble.value.sentence


def test_there_are_eighty_forms_and_no_two_are_the_same() -> None:
    assert len(FORMS) == len(set(FORMS)) >= 80


def test_the_trap_works_since_a_public_name_does_reach_it(canary: Canary, roads: Roads) -> None:
    roads.names["files.example"] = [PUBLIC]
    refused("https://files.example/", roads.internet)
    assert roads.went == [(PUBLIC, 443)] and canary.count() == 1


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ("https://files.example:6379/", ODD_PORT),
        ("https://files.example:0/", ODD_PORT),
        ("https://files.example:65536/", ODD_PORT),
        (f"https://{PUBLIC}:22/", ODD_PORT),
        ("https://127.0.0.1:6379/", NOT_THERE),
        ("https://localhost:6379/", NOT_THERE),
        ("http://files.example:6379/", NOT_HTTPS),
    ],
)
def test_where_it_is_the_port_the_sentence_says_so(form: str, sentence: str, roads: Roads) -> None:
    roads.names["files.example"] = [PUBLIC]
    assert refused(form, roads.internet) == sentence
    assert roads.went == []


@pytest.mark.parametrize("form", FORMS, ids=ascii)
def test_no_form_of_an_address_of_the_house_is_gone_to(form: str, canary: Canary, roads: Roads) -> None:
    roads.names["files.example"] = [PUBLIC]
    assert refused(form, roads.internet) in (NOT_THERE, NOT_HTTPS, ODD_PORT)
    with pytest.raises(Trouble), stream(form, settings, internet=roads.internet):
        pass
    assert roads.went == [] and canary.count() == 0
    # Only names that say nothing of where they lead are looked up at all.
    name = form.removeprefix("https://").removesuffix("/")
    assert set(roads.asked) == ({name} if name in NAMES else set())


@pytest.fixture(scope="module")
def onward() -> Iterator[Elsewhere]:
    """A public site that sends on to whatever its `says` holds."""
    with elsewhere({}, tls=certified("files.example", "other.example")[0]) as server:
        yield server


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("form", [form for form in FORMS if form.isprintable()], ids=ascii)
def test_no_redirect_leads_into_the_house(
    form: str, status: int, canary: Canary, roads: Roads, onward: Elsewhere
) -> None:
    roads.names["files.example"] = [PUBLIC]
    roads.ports[PUBLIC] = onward.port
    roads.context = certified("files.example", "other.example")[1]
    onward.says["/start"] = answer(status, location="\0").replace(b"\0", form.encode())
    if form in PATHS_AS_REDIRECTS:
        assert fetch("https://files.example/start", settings, internet=roads.internet).status == 404
    else:
        assert refused("https://files.example/start", roads.internet) in (NOT_THERE, NOT_HTTPS, ODD_PORT)
    assert {ip for ip, _ in roads.went} == {PUBLIC}
    assert canary.count() == 0


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "[::1]", "localhost", "localhost.", "2130706433", "0x7f.1", "127.1", "0", "[::ffff:127.0.0.1]",
        "①27.0.0.1",
    ],
)  # fmt: skip
def test_the_system_itself_is_not_asked_to_go_there(
    host: str, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real roads and the real resolver; the port is allowed, so that only the host stands in the way."""
    monkeypatch.setattr(net_address, "PORTS", tuple(canary.ports))
    for port in canary.ports:
        with pytest.raises(Trouble, match=NOT_THERE):
            fetch(f"https://{host}:{port}/", settings, seconds=2)
    assert canary.count() == 0


def test_the_environment_sends_nobody_round_by_a_proxy(
    canary: Canary, roads: Roads, onward: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.ports[0]}")
    monkeypatch.setenv("NO_PROXY", "")
    roads.names["files.example"], roads.ports[PUBLIC] = [PUBLIC], onward.port
    roads.context = certified("files.example", "other.example")[1]
    onward.says["/x"] = answer(200, b"here")
    assert fetch("https://files.example/x", settings, internet=roads.internet).body == b"here"
    assert canary.count() == 0


# --- names that change their mind ------------------------------------------------------------------------------------


def test_a_name_is_looked_up_once_and_its_first_answer_is_where_we_go(
    canary: Canary, roads: Roads, onward: Elsewhere
) -> None:
    turns = iter([[PUBLIC], ["127.0.0.1"]])
    roads.names["files.example"] = lambda: next(turns)
    roads.ports[PUBLIC] = onward.port
    roads.context = certified("files.example", "other.example")[1]
    onward.says["/x"] = answer(200, b"here")
    assert fetch("https://files.example/x", settings, internet=roads.internet).body == b"here"
    assert roads.asked == ["files.example"] and roads.went == [(PUBLIC, 443)]
    assert refused("https://files.example/x", roads.internet) == NOT_THERE
    assert canary.count() == 0


def test_a_redirect_to_the_same_name_is_looked_up_and_judged_anew(
    canary: Canary, roads: Roads, onward: Elsewhere
) -> None:
    turns = iter([[PUBLIC], ["127.0.0.1"]])
    roads.names["files.example"] = lambda: next(turns)
    roads.ports[PUBLIC] = onward.port
    roads.context = certified("files.example", "other.example")[1]
    onward.says["/again"] = answer(302, location="/x")
    assert refused("https://files.example/again", roads.internet) == NOT_THERE
    assert roads.went == [(PUBLIC, 443)] and canary.count() == 0


# --- hosts that the operator named -----------------------------------------------------------------------------------


def test_a_host_on_the_list_is_reached_though_it_is_private_and_plain() -> None:
    with elsewhere({"/x": answer(200, b"mine")}) as server:
        assert fetch(f"{server.url}/x", server.settings()).body == b"mine"
        by_name = replace(settings, private_hosts=(f"localhost:{server.port}",))
        assert fetch(f"http://LOCALHOST:{server.port}/x", by_name).body == b"mine"
        assert server.asked[1].headers["host"] == f"localhost:{server.port}"


def test_the_list_means_its_ports_and_no_others(canary: Canary) -> None:
    listed = replace(settings, private_hosts=("127.0.0.1", f"[::1]:{canary.ports[1]}", "nas.lan:4533"))
    for url in (
        f"http://127.0.0.1:{canary.ports[0]}/",
        f"http://[::1]:{canary.ports[0]}/",
        "http://nas.lan/",
        "http://x.nas.lan:4533/",
        f"http://localhost:{canary.ports[0]}/",
        f"http://user@127.0.0.1:{canary.ports[0]}/",
    ):
        with pytest.raises(Trouble):
            fetch(url, listed, seconds=2)
    assert canary.count() == 0
    assert parse("http://127.0.0.1/", listed).is_listed and parse("https://127.0.0.1/", listed).is_listed


@pytest.fixture
def server() -> Iterator[Elsewhere]:
    """Somebody's own server, which has nothing to show."""
    with elsewhere({}) as listening:
        yield listening


@pytest.mark.parametrize("number", ["0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "fe80::1"])
def test_a_listed_name_that_leads_to_nobody_or_everybody_is_not_followed(
    number: str, canary: Canary, roads: Roads, server: Elsewhere
) -> None:
    roads.names["nas.lan"] = [number]
    listed = replace(settings, private_hosts=("nas.lan",))
    assert refused("http://nas.lan/", roads.internet, listed) == NOT_THERE
    roads.names["nas.lan"] = ["192.168.1.5"]
    roads.ports["192.168.1.5"] = server.port
    assert fetch("http://nas.lan/", listed, internet=roads.internet).status == 404
    assert roads.went == [("192.168.1.5", 80)]


def test_the_internet_does_not_send_us_to_a_listed_host(
    canary: Canary, roads: Roads, onward: Elsewhere
) -> None:
    roads.names["files.example"], roads.ports[PUBLIC] = [PUBLIC], onward.port
    roads.context = certified("files.example", "other.example")[1]
    with elsewhere({"/x": answer(200, b"mine")}) as server:
        for status, scheme in ((301, "http"), (302, "https"), (308, "http")):
            onward.says["/in"] = answer(status, location=f"{scheme}://127.0.0.1:{server.port}/x")
            assert refused("https://files.example/in", roads.internet, server.settings()) == NOT_THERE
        assert server.connections == 0


def test_a_listed_host_sends_on_within_the_list_or_to_the_internet_and_nowhere_else(
    canary: Canary, roads: Roads, onward: Elsewhere
) -> None:
    roads.names["files.example"], roads.ports[PUBLIC] = [PUBLIC], onward.port
    roads.context = certified("files.example", "other.example")[1]
    onward.says["/x"] = answer(200, b"public")
    with elsewhere({"/x": answer(200, b"next")}) as near, elsewhere({}) as first:
        roads.names["a.lan"] = roads.names["b.lan"] = ["192.168.1.5"]
        roads.ports["192.168.1.5"] = first.port
        listed = replace(settings, private_hosts=("a.lan", f"127.0.0.1:{near.port}"))
        roads.ports["127.0.0.1"] = near.port
        for location, body in (
            (f"http://127.0.0.1:{near.port}/x", b"next"),
            ("https://files.example/x", b"public"),
        ):
            first.says["/"] = answer(302, location=location)
            assert fetch("http://a.lan/", listed, internet=roads.internet).body == body
        first.says["/"] = answer(302, location="http://b.lan/x")
        assert refused("http://a.lan/", roads.internet, listed) == NOT_HTTPS
        first.says["/"] = answer(302, location="https://192.168.1.9/x")
        assert refused("http://a.lan/", roads.internet, listed) == NOT_THERE
    assert canary.count() == 0


# --- what is on the internet -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    ["1.1.1.1", "8.8.8.8", PUBLIC, "100.63.255.255", "100.128.0.1", "172.32.0.1", "2606:4700::1111", OTHER_PUBLIC],
)  # fmt: skip
def test_plain_public_numbers_are_public(number: str) -> None:
    assert is_public(number)
    assert parse(f"https://[{number}]/" if ":" in number else f"https://{number}/", settings).host == number


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("HTTPS://Files.Example:443/A%20b?x=1#part", "https://files.example/A%20b?x=1"),
        ("https://files.example", "https://files.example/"),
        ("https://files.example.?q", "https://files.example/?q"),
        ("https://bücher.example/ö|", "https://xn--bcher-kva.example/%C3%B6%7C"),
        ("https://my_host.files.example:8443/", "https://my_host.files.example:8443/"),
    ],
)
def test_one_address_is_written_one_way(typed: str, said: str) -> None:
    assert parse(typed, settings).url == said
