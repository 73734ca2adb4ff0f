"""A city's existing users imported from a signed file: 10,000, and then as many as BENCH_ROWS says.

With BENCH_ROWS=100000, a file of so many follows into the same province. The slope is what a row of
the large file costs beside one of the small: 1.00 × when the size of the file and of the table makes
no difference. Half of the rows carry a foreign password hash.
"""

import io
import json
import os
import time
from collections.abc import Iterator

from benchmarks.measuring import Measurement
from benchmarks.scratch import wired
from idp.nodes import import_file, import_people, peers
from idp.nodes.peers import Peer, Place
from idp.provider import Provider
from keys.algorithms import ES256
from keys.jwk import jwk
from keys.software_signer import SoftwareSigner, generate
from service.chance import real_chance

_CITY = "https://city.example/oidc"
_SMALL, _LARGE = 10_000, int(os.environ.get("BENCH_ROWS", "0"))
_CHECKS = "10X98765432"
_HASH = "{SSM3}" + "QUFB" * 16
_BY = "bench"


def measurements() -> Iterator[Measurement]:
    """Yield a line for the check of each file, its import, and its import once more."""
    key = SoftwareSigner(generate(ES256))
    with wired(real_chance()) as world:
        provider = world.provider
        city = Peer(_CITY, "city", Place.BELOW, keys={"keys": [jwk(key.public_key)]})
        with provider.begin() as tx:
            peers.add(tx, provider, city, by=_BY)
        first, small = 0, None
        for size in filter(None, (_SMALL, _LARGE)):
            file = io.BytesIO()
            rows = (_row(serial) for serial in range(first, first + size))
            now = int(provider.clock().timestamp())
            import_file.write(rows, file, key, city=_CITY, province=provider.issuer, now=now)
            began = time.perf_counter()
            file.seek(0)
            import_file.read(provider, file)
            yield Measurement(f"check a file of {size:,}", 1, time.perf_counter() - began)
            taken = _imported(provider, city, file, size, "import")
            slope = (
                "" if small is None else f"{taken.milliseconds / small.milliseconds:.2f} × slope"
            )
            yield Measurement(taken.what, taken.runs, taken.seconds, slope)
            yield _imported(provider, city, file, size, "import again")
            first, small = first + size, taken


def _imported(
    provider: Provider, city: Peer, file: io.BytesIO, size: int, what: str
) -> Measurement:
    file.seek(0)
    import_file.read(provider, file)
    began = time.perf_counter()
    results = import_people.take(provider, city, import_file.lines(file), by=_BY)
    outcomes = {result.outcome for result in results}
    took = time.perf_counter() - began
    if outcomes != {import_people.Outcome.NEW}:
        raise RuntimeError(f"not all are new: {outcomes}")
    return Measurement(f"{what} {size:,} rows, a row", size, took)


def _row(serial: int) -> bytes:
    """One of the city's users: born in 1881, nobody."""
    day, place = divmod(serial, 1000)
    month, day_of_month = divmod(day % 336, 28)
    digits = f"3301051881{month + 1:02d}{day_of_month + 1:02d}{place:03d}"
    total = sum(
        int(digit) << weight for weight, digit in zip(range(17, 0, -1), digits, strict=True)
    )
    row = {
        "id": f"u-{serial}",
        "number": digits + _CHECKS[total % 11],
        "name": "钱三强",
        "phone": f"139{serial:08d}",
        "ethnicity": "01",
        "username": f"qian-{serial}",
    }
    return json.dumps(row | ({"password": _HASH} if serial % 2 else {})).encode()
