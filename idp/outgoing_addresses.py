"""Which addresses a request of ours may reach: a client's URL must not lead into our own network.

What is judged is the address a name resolved to, and the connection goes to that very address: a
name that resolves differently the second time gains nothing.
"""

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Iterable[str]]

_UNICAST = IPv6Network("2000::/3")  # all that is given out for the Internet (RFC 3587 §3)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1: the last 32 bits are an IPv4 address


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the operating system finds them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def is_public(address: Address) -> bool:
    """Say whether anybody on the Internet could reach the address (RFC 6890).

    An IPv6 address that carries an IPv4 address within is as public as that one.
    """
    inner = _carried(address)
    if isinstance(address, IPv6Address) and address not in _UNICAST and not inner:
        return False
    return address.is_global and not address.is_multicast and all(map(is_public, inner))


def is_loopback(address: Address) -> bool:
    """Say whether the address is this machine's own."""
    return address.is_loopback or any(inner.is_loopback for inner in _mapped(address))


def read(addresses: Iterable[str]) -> list[Address]:
    """Return addresses as values, without the zone of a link-local one. Raises ValueError."""
    return [ip_address(address.partition("%")[0]) for address in dict.fromkeys(addresses)]


def _carried(address: Address) -> list[IPv4Address]:
    """Return the IPv4 addresses within: mapped, 6to4, Teredo's server and client, NAT64."""
    if isinstance(address, IPv4Address):
        return []
    teredo = address.teredo or ()
    nat64 = [IPv4Address(int(address) & 0xFFFFFFFF)] if address in _NAT64 else []
    sixtofour = [address.sixtofour] if address.sixtofour is not None else []
    return [*_mapped(address), *sixtofour, *teredo, *nat64]


def _mapped(address: Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address) or address.ipv4_mapped is None:
        return []
    return [address.ipv4_mapped]
