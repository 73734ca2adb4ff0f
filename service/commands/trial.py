"""`yinxin seal trial`: a root, a seal maker and a body with its seal, for whoever wants to try stamping.

The keys lie in the folder as plain PKCS#8 files. Nobody trusts the root but who is told to.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from asn1crypto import pem

from keys.algorithms import ES256, SM2_SM3, Algorithm
from keys.certificates import (
    PDF_SIGNER,
    ROOT,
    SEAL_MAKER,
    SEAL_SIGNER,
    Profile,
    Subject,
    issue,
    parse,
    self_signed,
)
from keys.software_signer import SoftwareSigner, generate
from seal.seal_design import Design
from seal.seal_picture import draw_design
from seal.seal_sizes import SIZES, Kind
from seal.ses import make_seal
from service.commands.signing_files import Time, moment
from service.commands.terminal import Json, answer, vacant, write_new

_ESID = "99010000000001"
_USCC = "11990100MBXX90034B"
_MAKER = Subject("trial seal maker", "trial")
_VALID = timedelta(days=5 * 365)


def trial(
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
    name: Annotated[str, typer.Option(help="The body that stamps.")] = "示例市行政审批局",
    time: Time = "",
    as_json: Json = False,
) -> None:
    """Make a root, a seal maker, a body with keys for OFD and PDF, and its seal: for trying only."""
    vacant(folder)
    begins = moment(time)
    design = Design.of_size(SIZES[Kind.SUBORDINATE_UNIT], name, "电子证照专用章", _ESID)
    image = draw_design(design)
    folder.mkdir(mode=0o700)
    root = _found(folder, (begins, begins + _VALID))
    maker = root.certify("maker", SM2_SM3, SEAL_MAKER, _MAKER, 2)
    body = Subject(_ESID, name, _USCC)
    owner = root.certify("ofd-signer", SM2_SM3, SEAL_SIGNER, body, 3)
    root.certify("pdf-signer", ES256, PDF_SIGNER, body, 4)
    seal = make_seal(
        esid=_ESID,
        name=name,
        vendor="trial",
        picture=image,
        width=round(design.width),
        height=round(design.height),
        signer_certificates=(owner.certificate,),
        created=begins,
        valid_from=begins,
        valid_until=begins + _VALID,
        maker_signer=maker.signer,
        maker_certificate=maker.certificate,
    )
    write_new(folder / "seal.png", image)
    write_new(folder / "seal.esl", seal)
    files = sorted(file.name for file in folder.iterdir())
    answer({"folder": str(folder), "files": files}, as_json, "\n".join(files))


@dataclass(frozen=True, slots=True)
class _Holder:
    """A key of the trial and its certificate, both kept in files of one name."""

    folder: Path
    signer: SoftwareSigner
    certificate: bytes
    validity: tuple[datetime, datetime]

    def certify(
        self, name: str, algorithm: Algorithm, profile: Profile, subject: Subject, serial: int
    ) -> "_Holder":
        """Make a key and its certificate under this one."""
        signer = _new_key(self.folder, name, algorithm)
        certificate = issue(
            parse(self.certificate),
            self.signer,
            profile,
            subject,
            signer.public_key,
            *self.validity,
            serial=serial,
        )
        return _kept(self.folder, name, signer, certificate, self.validity)


def _found(folder: Path, validity: tuple[datetime, datetime]) -> _Holder:
    signer = _new_key(folder, "root", SM2_SM3)
    certificate = self_signed(signer, ROOT, Subject("trial root", "trial"), validity)
    return _kept(folder, "root", signer, certificate, validity)


def _new_key(folder: Path, name: str, algorithm: Algorithm) -> SoftwareSigner:
    material = generate(algorithm)
    write_new(folder / f"{name}.key", pem.armor("PRIVATE KEY", material.pkcs8))
    return SoftwareSigner(material)


def _kept(
    folder: Path,
    name: str,
    signer: SoftwareSigner,
    certificate: bytes,
    validity: tuple[datetime, datetime],
) -> _Holder:
    write_new(folder / f"{name}.pem", pem.armor("CERTIFICATE", certificate))
    return _Holder(folder, signer, certificate, validity)
