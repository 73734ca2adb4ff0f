"""Starting: what is refused before anything runs, and what a second start finds."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from keys.algorithms import Purpose
from service import migrating, sandbox_approval, wiring
from service.chance import real_chance
from service.refusals import refusals
from service.running import PortTakenError, RefusedSettingsError, WeakSm2Error, running
from service.seed import NotASandboxError, seed
from service.settings import SECRETS, Mode, Settings
from tests.conftest import Clone, settings_of_a_rig
from tests.rig import Rig

_PRODUCTION = {
    "mode": "production",
    "simulators": False,
    "population_register_url": "https://register.example",
    "sms_gateway_url": "https://sms.example",
    "public_url": "https://licences.example",
    **{name: f"{number:064x}" for number, name in enumerate(SECRETS, 1)},
}


def test_production_names_every_setting_it_refuses(tmp_path: Path) -> None:
    settings = Settings(mode=Mode.PRODUCTION, var=tmp_path / "var")
    with pytest.raises(RefusedSettingsError) as refused, running(settings):
        pytest.fail("it started")
    for refusal in refusals(settings):
        assert refusal.setting in str(refused.value)
    assert not (tmp_path / "var").exists()


def test_production_does_not_sign_with_gmssl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.running.backend_name", lambda: "gmssl")
    settings = Settings.model_validate({**_PRODUCTION, "var": tmp_path / "var"})
    with pytest.raises(WeakSm2Error), running(settings):
        pytest.fail("it started")
    assert not (tmp_path / "var").exists()


def test_production_refuses_a_database_with_demonstration_keys(
    clone: Clone, seeded_template: str, redis_url: str, tmp_path: Path
) -> None:
    with clone(seeded_template) as url:
        told = {**_PRODUCTION, "var": tmp_path, "database_url": url, "redis_url": redis_url}
        settings = Settings.model_validate({**told, "port": 0})
        with pytest.raises(wiring.SandboxKeysError, match="sandbox-root"), running(settings):
            pytest.fail("it started")


@pytest.mark.parametrize(("mode", "there"), [("production", False), ("test", True)])
def test_production_has_no_address_that_answers_in_a_persons_place(
    rig: Rig, mode: str, there: bool
) -> None:
    settings = rig.world.settings.model_copy(update={"mode": Mode(mode)})
    routes = sandbox_approval.routes(replace(rig.world, settings=settings))
    assert bool(routes) is there


def test_production_starts_on_a_database_of_its_own_and_is_not_seeded(
    clone: Clone, redis_url: str, tmp_path: Path
) -> None:
    with clone("template1") as url:
        told = {**_PRODUCTION, "var": tmp_path, "database_url": url, "redis_url": redis_url}
        settings = Settings.model_validate({**told, "port": 0, "worker": False})
        with running(settings) as world:
            with world.begin() as tx:
                assert world.vault.public_keys(tx) == []
            with pytest.raises(NotASandboxError):
                seed(world)


def test_a_port_in_use_is_named(rig: Rig, tmp_path: Path) -> None:
    port = int(rig.address.rpartition(":")[2])
    settings = settings_of_a_rig(tmp_path / "other").model_copy(update={"port": port})
    with pytest.raises(PortTakenError, match=str(port)), running(settings):
        pytest.fail("it started")


def test_seeding_again_changes_nothing(rig: Rig) -> None:
    def kids() -> list[str]:
        with rig.world.begin() as tx:
            return [record.public_key.kid for record in rig.world.vault.public_keys(tx)]

    before = kids()
    seed(rig.world)
    assert kids() == before
    assert rig.client_token()


def test_a_sandboxs_secrets_are_kept_say_what_they_are_and_are_for_their_owner_only(
    clone: Clone, tmp_path: Path
) -> None:
    def made() -> list[str]:
        return [(tmp_path / "secrets" / name).read_text() for name in SECRETS]

    settings = Settings.model_validate({"mode": "test", "var": tmp_path})
    with clone("template1") as url:
        around = wiring.Surroundings(url, "redis://unused", "http://localhost:0", "")
        with wiring.build(settings, around, real_chance()) as world:
            migrating.upgrade(world.engine)
            seed(world)
        first = made()
        with wiring.build(settings, around, real_chance()) as world, world.begin() as tx:
            world.vault.signer(tx, Purpose.ID_TOKEN, "service", by="test")
    assert made() == first
    assert len(set(first)) == len(SECRETS)
    assert all(text.startswith("sandbox-") for text in first)
    modes = {stat.S_IMODE((tmp_path / "secrets" / name).stat().st_mode) for name in SECRETS}
    assert modes == {0o600}
