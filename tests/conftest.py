"""Real servers for every test that asks for one: one PostgreSQL and one Valkey a test process.

`database` is a fresh database with every table; `rig` is the whole service on a fresh seeded one.
"""

import itertools
import os
import shutil
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from sqlalchemy import Engine, create_engine, make_url, text

from keys import software_signer
from service import embedded
from service.chance import real_chance
from tests.certificates import self_signed

if TYPE_CHECKING:
    from service.settings import Settings
    from tests.rig import Rig

_numbers = itertools.count(1)
_RSA_KEYS = 8
_ROOM_FOR_DATABASES = 8 * 1024**3

Clone = Callable[[str], AbstractContextManager[str]]


def pytest_configure(config: pytest.Config) -> None:
    """Let one made-up authority stand for the machine's: tests talk to loopback alone.

    Reading all the roots of a machine takes a tenth of a second for each client that is made.
    """
    folder = Path(tempfile.mkdtemp(prefix="yinxin-test-roots-"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    roots = folder / "roots.pem"
    roots.write_text(ssl.DER_cert_to_PEM_cert(self_signed("made up for tests")), "ascii")
    os.environ["SSL_CERT_FILE"] = str(roots)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes and JSON by their argument, for some are random: every process must collect the same."""
    return argname if isinstance(val, bytes | dict | list) else None


@pytest.fixture(autouse=True, scope="session")
def rsa_keys_come_round() -> Iterator[Callable[[int], bytes]]:
    """Make the first eight RSA keys of a size, then hand those out again: each takes a second to make.

    Yields what makes new ones.
    """
    make = software_signer._new_rsa_pkcs8
    made: dict[int, list[bytes]] = {}
    turns = itertools.count()

    def one(bits: int) -> bytes:
        own = made.setdefault(bits, [])
        if len(own) < _RSA_KEYS:
            own.append(make(bits))
            return own[-1]
        return own[next(turns) % _RSA_KEYS]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(software_signer, "_new_rsa_pkcs8", one)
        yield make


@pytest.fixture
def new_rsa_keys(
    rsa_keys_come_round: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Make every RSA key anew: for who rotates the seeded ones, and must not meet them again."""
    monkeypatch.setattr(software_signer, "_new_rsa_pkcs8", rsa_keys_come_round)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder with a short path that the servers' account can reach (pytest's own is closed)."""
    folder = Path(tempfile.mkdtemp(prefix="yinxin-test-", dir=_memory()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _memory() -> str | None:
    """The file system in memory, where there is one with room: databases are copied there at once."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > _ROOM_FOR_DATABASES
    return str(memory) if roomy else None


@pytest.fixture(scope="session")
def postgres(server_folder: Path) -> Iterator[str]:
    """The SQLAlchemy URL of this process's PostgreSQL."""
    with embedded.postgres(server_folder, print, durable=False) as url:
        yield url


@pytest.fixture(scope="session")
def valkey(server_folder: Path) -> Iterator[str]:
    """The URL of this process's Valkey."""
    with embedded.valkey(server_folder, print) as url:
        yield url


@pytest.fixture
def redis_url(valkey: str) -> str:
    """The URL of an empty Valkey."""
    with redis.Redis.from_url(valkey) as client:
        client.flushall()
    return valkey


@pytest.fixture(scope="session")
def clone(postgres: str) -> Clone:
    """Return a function that clones a database for the length of a block and yields its URL."""
    admin = make_url(postgres).set(database="postgres")

    @contextmanager
    def cloned(template: str) -> Iterator[str]:
        name = f"test_{next(_numbers)}"
        engine = create_engine(admin, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
            try:
                yield admin.set(database=name).render_as_string(hide_password=False)
            finally:
                connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        engine.dispose()

    return cloned


@pytest.fixture(scope="session")
def template_with_tables(postgres: str) -> str:
    """The name of a database that the migrations have brought to their head, without rows."""
    from service import migrating

    engine = create_engine(postgres)
    migrating.upgrade(engine)
    engine.dispose()
    return str(make_url(postgres).database)


@pytest.fixture
def database(clone: Clone, template_with_tables: str) -> Iterator[Engine]:
    """An engine on a fresh database with every package's tables."""
    with clone(template_with_tables) as url:
        engine = create_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture(scope="session")
def seeded_template(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database as `serve` leaves it at its first start in a sandbox."""
    # Imported here: the tests of one package need not load the whole service.
    from service import migrating, wiring
    from service.seed import seed

    with clone("template1") as url:
        around = wiring.Surroundings(url, "redis://unused", "http://localhost:0", "")
        settings = settings_of_a_rig(tmp_path_factory.mktemp("seeding"))
        with wiring.build(settings, around, real_chance()) as world:
            migrating.upgrade(world.engine)
            seed(world)
        yield str(make_url(url).database)


@pytest.fixture
def rig(clone: Clone, seeded_template: str, redis_url: str, tmp_path: Path) -> Iterator["Rig"]:
    """The whole service, running, on a seeded database of its own."""
    from service.chance import Chance, real_chance
    from service.running import running
    from tests.rig import Rig, TestClock, breakable

    clock, crash_points = TestClock(), set[str]()
    with clone(seeded_template) as url:
        settings = settings_of_a_rig(tmp_path, database_url=url, redis_url=redis_url)
        chance = Chance(clock, real_chance().random)
        with running(settings, chance, breakable(crash_points)) as world:
            rig = Rig(world, clock, crash_points)
            yield rig
            rig.close()


def settings_of_a_rig(var: Path, **changes: str) -> "Settings":
    """Return settings with known secrets, a free port, and jobs that run only when told to."""
    from service.settings import SECRETS, Settings

    secrets = {name: f"sandbox-{number:064x}" for number, name in enumerate(SECRETS, 1)}
    told = {"mode": "test", "var": var, "port": 0, "worker": False, "database_pool": 8}
    return Settings.model_validate({**told, **secrets, **changes})
