"""Where the way to a host ends: its name, the connection, TLS, or what speaks over it."""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from setup_kit import known_errors

# Seconds for each step. It has just failed once with more patience.
PATIENCE = 5.0

# OpenSSL's numbers (x509_vfy.h) of a certificate that is not valid yet, no more, or for another name or address.
_OUT_OF_DATE = (9, 10)
_OTHER_NAME = (62, 64)


class Stage(StrEnum):
    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    PROXY = "proxy"


@dataclass(frozen=True)
class Obstacle:
    """Where the way ends, why, what helps, and what was seen on it."""

    stage: Stage
    why: str
    remedy: str
    evidence: str


@dataclass(frozen=True)
class Proxy:
    """`shown` is its address without user name and password, with the variable that names it."""

    host: str
    port: int
    shown: str


def proxy_for(url: str) -> Proxy | None:
    """The proxy that requests to this address go through, by the environment's variables or the system's settings."""
    parts = urlsplit(url)
    found = getproxies()
    named = found.get(parts.scheme) or found.get("all")
    if not named or proxy_bypass(parts.hostname or ""):
        return None
    proxy = urlsplit(named if "://" in named else f"http://{named}")
    port = proxy.port or (443 if proxy.scheme == "https" else 80)
    names = (f"{parts.scheme}_proxy", f"{parts.scheme}_proxy".upper(), "all_proxy", "ALL_PROXY")
    variable = next((name for name in names if os.environ.get(name)), "the system's settings")
    return Proxy(proxy.hostname or "", port, f"{variable}: {proxy.scheme}://{proxy.hostname}:{port}")


def known_name(host: str) -> bool:
    """Whether this machine finds an address for a host."""
    try:
        return bool(socket.getaddrinfo(host, None))
    except OSError:
        return False


def connection(host: str, port: int) -> socket.socket | Obstacle:
    """A connection, or where the way to it ends."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        remedy = f"check the name {host}, and this machine's DNS, search domain and VPN"
        return Obstacle(Stage.DNS, "its name is not known here", remedy, f"looking {host} up: {error}")
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    try:
        return socket.create_connection((host, port), timeout=PATIENCE)
    except OSError as error:
        why = f"its name is known, but there is no connection to port {port}"
        remedy = f"let this machine reach {host} on TCP port {port}, or name the proxy to it in HTTPS_PROXY"
        return Obstacle(Stage.TCP, why, remedy, f"{', '.join(addresses)} port {port}: {error}")


def diagnosis(url: str, ca_file: Path | None, original: str) -> Obstacle:
    """Why an HTTPS host, which has just failed with the words `original`, does not answer."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    proxy = proxy_for(url)
    if proxy is not None:
        return _by_proxy(proxy, original)
    way = connection(host, port)
    if isinstance(way, Obstacle):
        return way
    with way:
        peer = f"{way.getpeername()[0]} port {port}"
        try:
            _trusting(ca_file).wrap_socket(way, server_hostname=host).close()
        except ssl.SSLCertVerificationError as error:
            return _distrusted(error, host, f"{peer}: {error.verify_message} (verify code {error.verify_code})")
        except OSError as error:
            why = "it takes connections, but not TLS"
            remedy = "check the address and its port, and whether something on the way inspects or cuts TLS"
            return Obstacle(Stage.TLS, why, remedy, f"{peer}: {error}")
    why = "TLS holds, but it does not answer over it"
    return Obstacle(Stage.HTTP, why, "check the address and its port; try again in a minute", f"{peer}: {original}")


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Trusts whom the kit's requests trust."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    named = (
        ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH
    )
    if Path(named).is_dir():
        return ssl.create_default_context(capath=str(named))
    return ssl.create_default_context(cafile=str(named))


def _distrusted(error: ssl.SSLCertVerificationError, host: str, evidence: str) -> Obstacle:
    if error.verify_code in _OTHER_NAME:
        remedy = "check the address; a wrong DNS entry or a proxy may answer in its place"
        return Obstacle(Stage.TLS, f"its certificate is not for {host}", remedy, evidence)
    if error.verify_code in _OUT_OF_DATE:
        remedy = "check this machine's clock; else whoever runs the host must renew it"
        return Obstacle(Stage.TLS, "its certificate is not valid at this time", remedy, evidence)
    return _untrusted(evidence)


def _untrusted(evidence: str) -> Obstacle:
    known = known_errors.meaning("connection", "untrusted")
    return Obstacle(Stage.TLS, known.why, known.remedy, evidence)


def _by_proxy(proxy: Proxy, original: str) -> Obstacle:
    way = connection(proxy.host, proxy.port)
    if isinstance(way, Obstacle):
        remedy = "correct HTTPS_PROXY, or name the host in NO_PROXY when it is reached without the proxy"
        return Obstacle(Stage.PROXY, f"the proxy on the way: {way.why}", remedy, f"{proxy.shown}; {way.evidence}")
    way.close()
    if "CERTIFICATE_VERIFY_FAILED" in original:
        return _untrusted(f"{proxy.shown}; {original}")
    remedy = "have the proxy let this host through, or name it in NO_PROXY when it is reached without the proxy"
    return Obstacle(Stage.PROXY, "the proxy on the way does not let it through", remedy, f"{proxy.shown}; {original}")
