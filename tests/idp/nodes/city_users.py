"""A city with users of its own and a key to sign them with."""

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from idp.nodes import import_file, import_people, peers
from idp.nodes.import_people import Result
from idp.nodes.peers import Peer, Place
from keys.algorithms import ES256
from keys.jwk import jwk
from keys.signer import Signer
from keys.software_signer import SoftwareSigner, generate
from tests.idp.world import World

CITY = "https://city.example/oidc"
OTHER_CITY = "https://other-city.example/oidc"
_CHECKS = "10X98765432"
_KEY = SoftwareSigner(generate(ES256))
STRANGERS_KEY = SoftwareSigner(generate(ES256))


def number(serial: int) -> str:
    """The resident ID of nobody: born in 1881, with this serial below 365,000."""
    day, place = divmod(serial, 1000)
    month, day_of_month = divmod(day % 336, 28)
    digits = f"3301051881{month + 1:02d}{day_of_month + 1:02d}{place:03d}"
    total = sum(
        int(digit) << weight for weight, digit in zip(range(17, 0, -1), digits, strict=True)
    )
    return digits + _CHECKS[total % 11]


def user(serial: int, **changed: object) -> dict[str, object]:
    """One of the city's users, changed as told; `None` leaves a member out."""
    row = {
        "id": f"u-{serial}",
        "number": number(serial),
        "name": "钱三强",
        "phone": f"139{serial:08d}",
        "ethnicity": "01",
    } | changed
    return {member: value for member, value in row.items() if value is not None}


@dataclass
class CityUsers:
    """A city that hands its users over to the province of `world`."""

    world: World
    issuer: str = CITY
    key: Signer = field(default_factory=lambda: _KEY)

    def join(self) -> "CityUsers":
        """Be known to the province."""
        keys = {"keys": [jwk(self.key.public_key)]}
        peer = Peer(self.issuer, self.issuer, Place.BELOW, keys=keys)
        with self.world.begin() as tx:
            peers.add(tx, self.world.provider, peer, by="test")
        return self

    def file(
        self, rows: Iterable[Mapping[str, object]], *, by: Signer | None = None, **changed: str
    ) -> bytes:
        """A signed file of these rows."""
        told = {"city": self.issuer, "province": self.world.issuer} | changed
        now = int(self.world.clock().timestamp())
        lines = (json.dumps(row, ensure_ascii=False).encode() for row in rows)
        into = io.BytesIO()
        import_file.write(lines, into, by or self.key, now=now, **told)
        return into.getvalue()

    def hand_over(self, content: bytes) -> list[Result]:
        """What the province makes of a file."""
        file = io.BytesIO(content)
        city = import_file.read(self.world.provider, file).city
        rows = import_file.lines(file)
        return list(import_people.take(self.world.provider, city, rows, by="operator:test"))

    def hand_over_rows(self, *rows: Mapping[str, object]) -> list[Result]:
        return self.hand_over(self.file(rows))
