"""Private keys through their life, and the custodians who guard the weightiest."""

from pathlib import Path
from typing import Annotated, Any

import typer

from keys import backup as backups
from keys import pkcs8, two_person, vault
from keys.algorithms import ALGORITHMS, GUARDED, Purpose
from keys.custodians import Custodian, custodian_hash, standing
from keys.key_states import KeyRecord, State
from keys.rotation import Make, Step
from keys.software_signer import SoftwareSigner
from keys.two_person import Consent
from service import key_encryption
from service.commands.console import (
    Custodians,
    PassphraseFile,
    Person,
    agreed,
    custodian,
    ground,
    let_agree,
    load_settings,
    sitting,
)
from service.commands.terminal import (
    By,
    Json,
    Yes,
    answer,
    operator,
    passphrase,
    sure,
    tell,
    vacant,
    write_new,
)
from service.settings import SANDBOX_MARK, TOKEN_MARK
from service.wiring import Ground

commands = typer.Typer(no_args_is_help=True, help=__doc__)

_REWRAPPED_AT_ONCE = 100

Kid = Annotated[str, typer.Argument(help="The key's name: 16 hexadecimal digits.")]
Owner = Annotated[str, typer.Argument(help="Whose: a USCC, `service`, or an authority's name.")]
Name = Annotated[str, typer.Argument(help="The custodian's name.")]


@commands.command("list")
def list_keys(
    purpose: Annotated[Purpose | None, typer.Option(help="Only keys of this purpose.")] = None,
    as_json: Json = False,
) -> None:
    """List every key with its purpose, owner, algorithm and state."""
    with ground() as on, on.begin() as tx:
        answer([_row(record) for record in on.vault.public_keys(tx, purpose)], as_json)


@commands.command()
def make(
    purpose: Annotated[Purpose, typer.Argument(help="What the key is for.")],
    owner: Owner,
    algorithm: Annotated[str, typer.Option(help=f"One of {', '.join(ALGORITHMS)}.")] = "ES256",
    state: Annotated[State, typer.Option(help="made, published or active.")] = State.ACTIVE,
    in_token: Annotated[
        bool, typer.Option("--in-token", help="Keep it in the PKCS#11 token.")
    ] = False,
    custodians: Custodians = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Make a key. Root, seal-maker and trust-root keys take two custodians."""
    if algorithm not in ALGORITHMS:
        raise SystemExit(f"yinxin: {tell('no_algorithm', known=', '.join(ALGORITHMS))}")
    with ground() as on:
        subject, persons = vault.subject(purpose, owner), sitting(on, custodians)
        with on.begin() as tx:
            key = on.vault.make(
                tx,
                purpose,
                owner,
                ALGORITHMS[algorithm],
                by=by or operator(),
                state=state,
                in_token=in_token,
                consent=_consent(on, tx, purpose, vault.MAKE, subject, persons),
            )
            made = on.vault.find(tx, key.kid)
        answer([_row(made)], as_json)


@commands.command("import")
def import_key(
    purpose: Annotated[Purpose, typer.Argument(help="What the key is for.")],
    owner: Owner,
    file: Annotated[Path, typer.Argument(help="The private key: PKCS#8, PEM or DER.")],
    passphrase_file: PassphraseFile = None,
    state: Annotated[State, typer.Option(help="made, published or active.")] = State.ACTIVE,
    custodians: Custodians = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Bring in a key that was made elsewhere; an encrypted file's passphrase is asked for."""
    content = file.read_bytes()
    secret = None
    if pkcs8.is_locked(content):
        secret = passphrase(tell("passphrase_of", name=file.name), passphrase_file).encode()
    material = pkcs8.private_material(content, secret)
    kid = SoftwareSigner(material).public_key.kid
    with ground() as on:
        subject, persons = vault.subject(purpose, owner, kid), sitting(on, custodians)
        with on.begin() as tx:
            key = on.vault.bring_in(
                tx,
                purpose,
                owner,
                material,
                by=by or operator(),
                state=state,
                consent=_consent(on, tx, purpose, vault.BRING_IN, subject, persons),
            )
            brought = on.vault.find(tx, key.kid)
        answer([_row(brought)], as_json)


@commands.command()
def rotate(
    dry: Annotated[bool, typer.Option("--dry-run", help="Only tell what is due.")] = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Let keys that are due make way for the next; tell which wait for somebody, or failed, and why."""
    with ground() as on:
        with on.begin() as tx:
            if dry:
                steps = [_step(step, "due") for step in on.vault.due(tx)]
            else:
                rotation = on.vault.rotate(tx, by=by or operator())
                steps = [_step(step, "done") for step in rotation.done]
                steps += [_step(step, "waits") for step in rotation.by_hand]
                steps += [_step(failed.step, failed.reason.code) for failed in rotation.failed]
        answer(steps, as_json)


@commands.command()
def move(
    kid: Kid,
    state: Annotated[State, typer.Argument(help="The state to bring it to.")],
    custodians: Custodians = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Bring a key to another state: published, active, retiring or retired."""
    with ground() as on:
        _move(on, kid, state, custodians, by, as_json)


@commands.command()
def retire(
    kid: Kid, custodians: Custodians = None, yes: Yes = False, by: By = "", as_json: Json = False
) -> None:
    """Retire a key now: it signs no more, and nothing it signs from now on counts."""
    with ground() as on:
        sure(tell("keys.retire", kid=kid), yes)
        _move(on, kid, State.RETIRED, custodians, by, as_json)


@commands.command()
def destroy(
    kid: Kid, custodians: Custodians = None, yes: Yes = False, as_json: Json = False
) -> None:
    """Erase a retired private key before two custodians. It cannot be brought back."""
    with ground() as on:
        with on.begin() as tx:
            record = on.vault.find(tx, kid)
        sure(tell("keys.destroy", kid=kid, purpose=record.purpose, owner=record.owner), yes)
        subject = vault.subject(record.purpose, record.owner, kid)
        persons = sitting(on, custodians)
        with on.begin() as tx:
            consent = agreed(on, tx, vault.DESTROY, subject, persons)
            on.vault.destroy(tx, kid, consent=consent)
            destroyed = on.vault.find(tx, kid)
        answer([_row(destroyed)], as_json)


@commands.command()
def orphans(as_json: Json = False) -> None:
    """List keys in the PKCS#11 token that no row knows of; erase them with the token's own tools.

    Each is left by a command that failed, belongs to somebody else, or is just being made.
    """
    with ground() as on, on.begin() as tx:
        answer([{"handle": handle} for handle in on.vault.orphans(tx)], as_json)


@commands.command()
def rewrap(by: By = "", as_json: Json = False) -> None:
    """Bring keys that an older key-encryption key wraps under the current one; may be broken off."""
    count = 0
    with ground() as on:
        while True:
            with on.begin() as tx:
                moved = on.vault.rewrap(tx, _REWRAPPED_AT_ONCE, by=by or operator())
            count += moved
            if moved < _REWRAPPED_AT_ONCE:
                break
        answer({"rewrapped": count}, as_json, tell("keys.rewrapped", count=count))


@commands.command("wrap-kek")
def wrap_kek() -> None:
    """Print the key-encryption key of the settings as only their PKCS#11 token can open it."""
    settings = load_settings()
    text = settings.secret("key_encryption_key").removeprefix(SANDBOX_MARK)
    with key_encryption.token(settings) as token:
        if token is None or not text or text.startswith(TOKEN_MARK):
            raise SystemExit(f"yinxin: {tell('keys.nothing_to_wrap')}")
        typer.echo(TOKEN_MARK + token.wrap_kek(bytes.fromhex(text)).hex())


@commands.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
    custodians: Custodians = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Write every key to a file sealed under a passphrase, before two custodians."""
    vacant(file)
    with ground() as on:
        persons = sitting(on, custodians)
        secret = passphrase(tell("passphrase_of", name=file.name), passphrase_file, new=True)
        with on.begin() as tx:
            consent = agreed(on, tx, backups.BACKUP, backups.EVERY_KEY, persons)
            sealed = backups.backup(tx, on.vault, secret, consent)
        write_new(file, sealed)
    _tell_backup(backups.check_backup(file.read_bytes(), secret), as_json)


@commands.command("check-backup")
def check_backup(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Open a backup, find every key in it true to its name, and tell what it holds."""
    secret = passphrase(tell("passphrase_of", name=file.name), passphrase_file)
    _tell_backup(backups.check_backup(file.read_bytes(), secret), as_json)


@commands.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    custodians: Custodians = None,
    passphrase_file: PassphraseFile = None,
    yes: Yes = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Take back the keys of a backup that are missing; what is there must be the same.

    Where there are custodians already, two agree.
    """
    secret = passphrase(tell("passphrase_of", name=file.name), passphrase_file)
    content = file.read_bytes()
    told = backups.check_backup(content, secret)
    sure(tell("keys.restore", keys=told.keys, made_at=str(told.made_at)), yes)
    with ground() as on:
        persons = sitting(on, custodians)
        with on.begin() as tx:
            consent = None
            if two_person.is_guarded(tx):
                consent = agreed(on, tx, backups.RESTORE, backups.EVERY_KEY, persons)
            told = backups.restore(
                tx, on.vault, content, secret, by=by or operator(), consent=consent
            )
    _tell_backup(told, as_json)


@commands.command("custodians")
def list_custodians(as_json: Json = False) -> None:
    """List the custodians."""
    with ground() as on, on.begin() as tx:
        answer([{"name": name} for name in standing(tx)], as_json)


@commands.command("add-custodian")
def add_custodian(
    name: Name,
    passphrase_file: PassphraseFile = None,
    custodians: Custodians = None,
    by: By = "",
) -> None:
    """Make a custodian, who types a passphrase of their own. From the third on two others agree."""
    with ground() as on:
        persons = sitting(on, custodians)
        secret = passphrase(tell("passphrase_of", name=name), passphrase_file, new=True)
        kept = custodian_hash(secret, on.random)
        with on.begin() as tx:
            let_agree(on, tx, two_person.ADD, name, persons)
            two_person.add_custodian(tx, name, kept, by=by or operator(), now=on.clock())
    typer.echo(tell("keys.custodian_added", name=name))


@commands.command("remove-custodian")
def remove_custodian(
    name: Name, custodians: Custodians = None, yes: Yes = False, by: By = ""
) -> None:
    """Let a custodian go; two custodians agree, and two must be left."""
    with ground() as on:
        sure(tell("keys.remove_custodian", name=name), yes)
        persons = sitting(on, custodians)
        with on.begin() as tx:
            let_agree(on, tx, two_person.REMOVE, name, persons)
            two_person.remove_custodian(tx, name, by=by or operator(), now=on.clock())
    typer.echo(tell("keys.custodian_removed", name=name))


@commands.command()
def ask(
    action: Annotated[str, typer.Argument(help="What is to be done, such as key.make.")],
    subject: Annotated[
        str,
        typer.Argument(help="On what, such as 'seal-maker service'; the refused command tells it."),
    ],
    who: Person,
    as_json: Json = False,
) -> None:
    """Ask, as a custodian, for another's agreement to one action; it waits a day."""
    with ground() as on:
        proven = custodian(on, who)
        with on.begin() as tx:
            number = two_person.ask(tx, action, subject, proven, on.clock())
    answer({"request": number}, as_json, tell("keys.asked", number=number))


@commands.command()
def requests(as_json: Json = False) -> None:
    """List what custodians asked and nobody agreed to yet."""
    with ground() as on, on.begin() as tx:
        waiting = two_person.waiting(tx, on.clock())
    names = ("id", "action", "subject", "asked_by", "asked_at", "ends_at")
    answer([{name: getattr(request, name) for name in names} for request in waiting], as_json)


@commands.command()
def agree(
    number: Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="The number of the request.")],
    who: Person,
) -> None:
    """Agree, as a custodian, to what another one asked; it can then be done, once."""
    with ground() as on:
        proven = custodian(on, who)
        with on.begin() as tx:
            two_person.agree(tx, number, proven, on.clock())
    typer.echo(tell("keys.agreed", number=number))


def _move(
    on: Ground, kid: str, state: State, custodians: list[str] | None, by: str, as_json: bool
) -> None:
    with on.begin() as tx:
        record = on.vault.find(tx, kid)
    subject = vault.subject(record.purpose, record.owner, kid, state.value)
    persons = sitting(on, custodians)
    with on.begin() as tx:
        consent = _consent(on, tx, record.purpose, vault.MOVE, subject, persons)
        on.vault.move(tx, kid, state, by=by or operator(), consent=consent)
        moved = on.vault.find(tx, kid)
    answer([_row(moved)], as_json)


def _consent(
    on: Ground,
    tx: Any,
    purpose: Purpose,
    action: str,
    subject: str,
    persons: tuple[Custodian, ...],
) -> Consent | None:
    """Spend the consent that a guarded key takes; other keys take none."""
    return agreed(on, tx, action, subject, persons) if purpose in GUARDED else None


def _row(record: KeyRecord) -> dict[str, Any]:
    return {
        "kid": record.public_key.kid,
        "purpose": record.purpose.value,
        "owner": record.owner,
        "algorithm": record.public_key.algorithm.name,
        "state": record.state.value,
        "since": record.moved_at,
        "kept": record.kept.value,
    }


def _step(step: Step, state: str) -> dict[str, Any]:
    wanted, kid = ("make", step.after) if isinstance(step, Make) else (step.to.value, step.kid)
    about = {"purpose": step.purpose.value, "owner": step.owner}
    return {**about, "step": wanted, "kid": kid, "state": state}


def _tell_backup(told: backups.Summary, as_json: bool) -> None:
    names = (
        "made_at",
        "keys",
        "in_token",
        "destroyed",
        "certificates",
        "authorities",
        "custodians",
    )
    answer([{name: getattr(told, name) for name in names}], as_json)
