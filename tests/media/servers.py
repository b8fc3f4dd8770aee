"""Other people's servers on loopback: ones that answer as they are told, ones that misbehave, and canaries.

`Roads` is an internet of a test's own: its names, and which address leads to which server. Whatever has no road ends
at the canary, which counts.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from config import Settings, settings
from media.net_wire import Internet

PUBLIC, OTHER_PUBLIC = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
Speech = bytes | Callable[["Talk"], object]


@dataclass(frozen=True)
class Asked:
    """A request as it came in; names of headers in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Talk:
    """One connection to a server that misbehaves: say bytes now, or one after another until the other side goes."""

    asked: Asked
    sock: socket.socket
    over: threading.Event

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)

    def trickle(self, data: bytes, every: float = 0.02) -> None:
        for byte in data:
            self.say(bytes((byte,)))
            if self.over.wait(every):
                return

    def endless(self, data: bytes) -> None:
        while not self.over.is_set():
            self.say(data)

    def silence(self) -> None:
        self.over.wait(30)


def answer(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """A whole answer. Header names are given with _ for -; content_length=None by an empty text leaves it out."""
    known = {"content-length": str(len(body))} | {name.replace("_", "-"): it for name, it in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in known.items() if value)
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + body


class Elsewhere:
    """A server that says what a test wrote down for a path; 404 for all others. With a certificate it speaks TLS."""

    def __init__(self, says: dict[str, Speech], tls: ssl.SSLContext | None = None) -> None:
        self.says, self.asked = says, list[Asked]()
        self.connections = 0
        self._tls, self._over = tls, threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> Settings:
        """Settings under which this server may be reached."""
        return replace(settings, private_hosts=(f"127.0.0.1:{self.port}",))

    def close(self) -> None:
        self._over.set()
        # Closing alone does not wake whoever waits for a connection.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _listen(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(10)
        with suppress(OSError, ValueError):
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            asked = self._read(sock)
            self.asked.append(asked)
            speech = self.says.get(asked.target.partition("?")[0], answer(404, b"nothing"))
            if callable(speech):
                speech(Talk(asked, sock, self._over))
            else:
                sock.sendall(speech)
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()

    @staticmethod
    def _read(sock: socket.socket) -> Asked:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = sock.recv(65_536)
            if not piece:
                raise OSError("gone")
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
        }
        while len(body) < int(headers.get("content-length", 0)):
            body += sock.recv(65_536)
        return Asked(method, target, headers, body)


@contextmanager
def elsewhere(says: dict[str, Speech], tls: ssl.SSLContext | None = None) -> Iterator[Elsewhere]:
    server = Elsewhere(says, tls)
    try:
        yield server
    finally:
        server.close()


class Canary:
    """Listens where nobody is to come, on IPv4 and, where there is any, IPv6. Whoever comes is counted."""

    def __init__(self, ports: int = 3) -> None:
        self.visits = 0
        self._listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(ports)]
        self.ports: list[int] = [each.getsockname()[1] for each in self._listeners]
        self.has_ipv6 = False
        with suppress(OSError):
            more = socket.create_server(("::1", self.ports[0]), family=socket.AF_INET6)
            self._listeners.append(more)
            self.has_ipv6 = True
        for each in self._listeners:
            each.setblocking(False)

    def count(self) -> int:
        """How many came so far: the kernel keeps them in line until they are counted."""
        for each in self._listeners:
            with suppress(BlockingIOError):
                while True:
                    each.accept()[0].close()
                    self.visits += 1
        return self.visits

    def close(self) -> None:
        for each in self._listeners:
            each.close()


@dataclass
class Roads:
    """The internet of a test: names with their addresses, and the port on loopback that an address leads to."""

    canary: Canary
    names: dict[str, Sequence[str] | Callable[[], Sequence[str]]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    went: list[tuple[str, int]] = field(default_factory=list)
    context: ssl.SSLContext | None = None

    def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        known = self.names.get(host)
        if known is not None:
            return known() if callable(known) else known
        # As the system does: numbers in any of their clothes are read as such. All other names are traps.
        with suppress(OSError):
            return [str(x[4][0]) for x in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)]
        return ["127.0.0.1"]

    def connect(self, ip: str, port: int, seconds: float) -> socket.socket:
        self.went.append((ip, port))
        return socket.create_connection(("127.0.0.1", self.ports.get(ip, self.canary.ports[0])), seconds)

    @property
    def internet(self) -> Internet:
        return Internet(self.resolve, self.connect, lambda: self.context or ssl.create_default_context())


@cache
def certified(*names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A certificate for these names, as a server shows it and as somebody trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "elsewhere")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_named(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "both.pem"
        path.write_bytes(secret + pem)
        server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=pem.decode())


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
