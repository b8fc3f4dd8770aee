"""Which addresses we go to: what a URL may look like, and which numbers are on the internet. No network here."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote

import idna

from config import Settings
from media.provider import Trouble

NOT_THERE = "That address is not on the internet."
ODD_PORT = "Links here go to port 443, the usual one, or 8443. This one names another port."
NOT_HTTPS = "Links here have to begin with https://."
TOO_LONG = "That link is too long."

LONGEST = 2_048
PORTS = (443, 8443)
USUAL = {"https": 443, "http": 80}

# Names that never leave a building or a machine, RFC 6761, RFC 8375, RFC 7686, RFC 9476 and habit.
_HOUSE_NAMES = {
    "localhost", "localdomain", "local", "internal", "intranet", "private", "lan", "home", "corp", "arpa", "onion",
    "alt", "invalid",
}  # fmt: skip
# What ipaddress calls global, or may call global in one version of Python, and is a way into somewhere else:
# relays and translators that carry another address inside, test networks, what is kept for later.
_WAYS_IN = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24",
        "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "2001::/23", "2001:db8::/32", "2002::/16",
        "2620:4f:8000::/48", "3fff::/20",
    )
)  # fmt: skip
_UNICAST = ipaddress.ip_network("2000::/3")
# ISATAP, RFC 5214: an IPv4 address in the last 32 bits behind this half of the interface's number.
_ISATAP = (0x00005EFE, 0x02005EFE)

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)(?:#.*)?", re.S)
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]@%]+))(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class Unlisted(Trouble):
    """An address that we do not go to unless the operator lists it in PRIVATE_HOSTS, where it is written as `name`."""

    def __init__(self, sentence: str, address: Address) -> None:
        super().__init__(sentence)
        self.host, self.name = address.host, address.authority


@dataclass(frozen=True, slots=True)
class Address:
    """Where one request goes. `is_listed`: the operator named it, so that it may be private and plain http."""

    scheme: str
    host: str
    port: int
    target: str
    is_listed: bool

    @property
    def authority(self) -> str:
        """Host and, where it is not the usual one, port, as a URL and the Host header write them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == USUAL[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        """The one way to write it: lower-case host, no usual port, no fragment."""
        return self.origin + self.target


def parse(url: str, settings: Settings) -> Address:
    """The address of a URL, when its form is one that we go to. Raises Trouble."""
    if len(url) > LONGEST:
        raise Trouble(TOO_LONG)
    # Blanks, control characters and backslashes are what two readers of one URL disagree about.
    if any(letter <= " " or "\x7f" <= letter < "\xa0" or letter == "\\" for letter in url):
        raise Trouble(NOT_THERE)
    parts = _URL.fullmatch(url)
    scheme = parts[1].lower() if parts else ""
    if not parts or scheme not in USUAL:
        raise Trouble(NOT_HTTPS)
    where = _AUTHORITY.fullmatch(parts[2])
    if not where:
        raise Trouble(NOT_THERE)
    host = _ipv6(where[1]) if where[1] else _name(where[2])
    port = int(where[3] or USUAL[scheme])
    is_listed = _is_listed(host, port, scheme, settings)
    address = Address(scheme, host, port, _target(parts[3]), is_listed)
    if not is_listed:
        _insist_on_the_internet(address)
    return address


def is_inside(host: str) -> bool:
    """True for a host whose very form says that it is not on the internet. Where a name leads is not asked."""
    return not is_public(host) if is_number(host) else "." not in host or _last(host) in _HOUSE_NAMES


def is_number(host: str) -> bool:
    """True for a host that is an IP address and no name."""
    return ":" in host or bool(_NUMBER.fullmatch(_last(host)))


def is_public(text: str) -> bool:
    """True when an IP address, as a resolver writes it, is a plain public one."""
    try:
        number = ipaddress.ip_address(text)
    except ValueError:
        return False
    if any(number in network for network in _WAYS_IN if network.version == number.version):
        return False
    if isinstance(number, ipaddress.IPv6Address):
        is_isatap = (int(number) >> 32) & 0xFFFFFFFF in _ISATAP
        if number.scope_id or is_isatap or number not in _UNICAST:
            return False
    return number.is_global and not number.is_multicast and not number.is_reserved


def is_neighbour(text: str) -> bool:
    """True when an address may be what a host on the operator's list leads to: anything but nobody and everybody."""
    try:
        number = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (number.is_multicast or number.is_unspecified or number.is_link_local or number.is_reserved)


def _ipv6(text: str) -> str:
    try:
        return ipaddress.IPv6Address(text).compressed
    except ValueError as error:
        raise Trouble(NOT_THERE) from error


def _name(text: str) -> str:
    """A host's name or dotted quad in ASCII. Numbers in other clothes (0x7f.1, 2130706433, 127.1) are nobody's name."""
    try:
        name = text.lower() if text.isascii() else idna.encode(text[:256], uts46=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise Trouble(NOT_THERE) from error
    name = name.removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Trouble(NOT_THERE)
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError as error:
            raise Trouble(NOT_THERE) from error
    return name


def _is_listed(host: str, port: int, scheme: str, settings: Settings) -> bool:
    bare = f"[{host}]" if ":" in host else host
    listed = {each.lower() for each in settings.private_hosts}
    return f"{bare}:{port}" in listed or (port == USUAL[scheme] and bare in listed)


def _last(host: str) -> str:
    return host.rpartition(".")[2]


def _insist_on_the_internet(address: Address) -> None:
    if address.scheme != "https":
        raise Unlisted(NOT_HTTPS, address)
    if is_inside(address.host):
        raise Unlisted(NOT_THERE, address)
    if address.port not in PORTS:
        raise Unlisted(ODD_PORT, address)


def _target(text: str) -> str:
    """Path and query with everything quoted that a request's first line may not hold."""
    quoted = quote(text, safe="%/:?@!$&'()*+,;=~-._[]")
    return quoted if quoted.startswith("/") else f"/{quoted}"
