"""The steps of the main job, in order: register, sign in, issue, look up, verify, and four refusals."""

import base64
import io
import json
import textwrap
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image

from keys.algorithms import ES256
from keys.cose import read as read_sign1
from keys.cose import sign1
from keys.software_signer import SoftwareSigner, generate
from keys.trust import TrustList
from keys.trust_root import claimed_root, read_roots
from keys.trust_signing import read_trust_list
from seal import ofd_verify, pdf_verify
from seal.ground import Ground
from seal.qr import png as qr_png
from seal.statement import code_text, read_code
from service.demo.journey import Journey
from service.demo.people import Browser, Caller, Citizen, Portal, WalkError, register
from service.demo.sandbox import last_sms_code

LICENCES = "/api/licences"
VERIFICATION = "/api/verification"
BASIC_LEVEL = "urn:yinxin:level:natural:1"

# Asked for every kind of code, the reader now and then takes lines of print for a bar code.
_QR_ONLY = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])


@dataclass(frozen=True, slots=True)
class Cast:
    """The accounts of the walk: two citizens, their portals, the clerks by issuer, the reviewer.

    `clerk_code` reads the authenticator app of any clerk.
    """

    citizens: tuple[Citizen, Citizen]
    portal_a: Portal
    portal_b: Portal
    desk: Portal
    clerks: Mapping[str, Mapping[str, str]]
    clerk_code: Callable[[], str]
    reviewer: Portal


@dataclass(slots=True)
class Walk:
    """What the walk needs to know and what it has found so far."""

    base_url: str
    simulators_url: str
    cast: Cast
    cases: list[dict[str, Any]]
    folder: Path
    journey: Journey
    licences: list[dict[str, Any]] = field(default_factory=list)
    clerk_tokens: dict[str, str] = field(default_factory=dict)


def walk(w: Walk) -> None:
    """Walk the whole main job. Raises at the first step that fails; the journey holds what was done."""
    with Browser(w.base_url) as first, Browser(w.base_url) as second:
        browsers = (first, second)
        register_citizens(w, browsers)
        sign_in_at_two_portals(w, browsers)
        sign_in_clerks(w)
        issue_licences(w)
        fetch_files(w)
        look_up(w)
        scan_printed_codes(w)
        judge_files(w)
        revoke_one(w)
        change_one_byte(w)
        forge_a_code(w)
        show_a_person_their_licences(w, first)
        keep_certificates(w)


def register_citizens(w: Walk, browsers: tuple[Browser, Browser]) -> None:
    with w.journey.step("两位公民注册，人口库核对 / two citizens register") as step:
        for citizen, browser in zip(w.cast.citizens, browsers, strict=True):
            register(browser, citizen, lambda phone: last_sms_code(w.simulators_url, phone))
        step.told = "、".join(citizen.name for citizen in w.cast.citizens)


def sign_in_at_two_portals(w: Walk, browsers: tuple[Browser, Browser]) -> None:
    subjects: list[str] = []
    with w.journey.step("登录门户甲（授权码 + PKCE）/ sign in at portal A") as step:
        for citizen, browser in zip(w.cast.citizens, browsers, strict=True):
            credentials = {"username": citizen.id_number, "password": citizen.password}
            # A fresh session: what registering left signed in does not count here.
            signed_in = w.cast.portal_a.sign_in(browser, credentials, prompt="login")
            if signed_in.claims["acr"] != BASIC_LEVEL:
                raise WalkError(f"acr is {signed_in.claims['acr']}, not {BASIC_LEVEL}")
            subjects.append(signed_in.claims["sub"])
        step.told = "acr 初级"
    with w.journey.step("门户乙单点登录，不再询问 / portal B, not asked again"):
        for subject, browser in zip(subjects, browsers, strict=True):
            again = w.cast.portal_b.sign_in(browser, {})
            if again.claims["sub"] != subject:
                raise WalkError("portal B was told another subject")


def sign_in_clerks(w: Walk) -> None:
    with w.journey.step("经办人登录 / the clerks sign in") as step:
        for issuer, credentials in w.cast.clerks.items():
            with Browser(w.base_url) as browser:
                told = w.cast.desk.sign_in(browser, credentials, w.cast.clerk_code)
                w.clerk_tokens[issuer] = told.access_token
        step.told = f"{len(w.clerk_tokens)}"


def issue_licences(w: Walk) -> None:
    with w.journey.step("由审批结果签发证照 / licences issued from approval results") as step:
        for case in w.cases:
            body = {name: value for name, value in case.items() if name != "issuer"}
            with Caller(w.base_url, w.clerk_tokens[case["issuer"]["uscc"]]) as clerk:
                licence = clerk.post(f"{LICENCES}/licences", body, expect=201)
                again = clerk.post(f"{LICENCES}/licences", body, expect=200)
            if again["identifier"] != licence["identifier"]:
                raise WalkError("one case submitted twice made two licences")
            w.licences.append(licence)
        step.told = f"{len(w.licences)}"


def fetch_files(w: Walk) -> None:
    with w.journey.step("下载 OFD、PDF、照面 / files fetched") as step:
        for licence in w.licences:
            with Caller(w.base_url, w.clerk_tokens[licence["issuer"]]) as clerk:
                for kind in ("ofd", "pdf", "png"):
                    path = f"{LICENCES}/licences/{licence['identifier']}/files/{kind}"
                    _file(w, licence, kind).write_bytes(clerk.get(path).content)
            _file(w, licence, "qr.png").write_bytes(qr_png(licence["code"]))
        step.told = str(4 * len(w.licences))


def look_up(w: Walk) -> None:
    with w.journey.step("审查部门按事由调取 / a reviewer looks up a holder's licences") as step:
        holder, held = _holder_of_several_types(w)
        with Caller(w.base_url, w.cast.reviewer.own_token()) as reviewer:
            answers = [
                (licence, reviewer.attempt(f"{LICENCES}/lookups", _lookup(holder, licence)))
                for licence in held
            ]
        found = [
            one
            for _, answer in answers
            if answer.status_code == 200
            for one in answer.json()["licences"]
        ]
        refused = [answer.json() for _, answer in answers if answer.status_code == 403]
        known = {licence["identifier"] for licence in held}
        if len(found) != 1 or found[0]["identifier"] not in known:
            raise WalkError(f"expected one licence of {holder['name']}, found {found}")
        step.told = f"{holder['name']}：{found[0]['number']} {found[0]['fields']['project_name']}"
    with w.journey.step("无权类型被拒 / refused a type it has no right to") as step:
        if [problem["code"] for problem in refused] != ["lookup.no_right"]:
            raise WalkError(f"expected one refusal, got {refused}")
        step.told = refused[0]["title"]


def scan_printed_codes(w: Walk) -> None:
    with w.journey.step("从照面图读码并核验 / codes read from the page picture") as step:
        with Caller(w.base_url) as stranger:
            for licence in w.licences:
                picture = Image.open(_file(w, licence, "png"))
                found = zxingcpp.read_barcodes(picture, formats=_QR_ONLY)
                texts = [code.text for code in found]
                if texts != [licence["code"]]:
                    raise WalkError(f"the page of {licence['identifier']} reads {texts}")
                _expect(stranger.post(f"{VERIFICATION}/codes", {"code": texts[0]}), "valid")
        step.told = f"{len(w.licences)} 有效 valid"


def judge_files(w: Walk) -> None:
    with w.journey.step("核验 OFD 与 PDF 文件 / files judged") as step:
        with Caller(w.base_url) as stranger:
            for licence in w.licences:
                for kind in ("ofd", "pdf"):
                    path = _file(w, licence, kind)
                    _expect(_judged(stranger, path.name, path.read_bytes()), "valid")
        step.told = f"{2 * len(w.licences)} 有效 valid"


def revoke_one(w: Walk) -> None:
    with w.journey.step("吊销一张，再扫即无效 / one revoked, its code turns invalid") as step:
        licence = w.licences[1]
        path = f"{LICENCES}/licences/{licence['identifier']}/revocation"
        with Caller(w.base_url, w.clerk_tokens[licence["issuer"]]) as clerk:
            clerk.post(path, {"kind": "吊销", "reason": "演示：经营场所与许可不符"})
        with Caller(w.base_url) as stranger:
            verdict = stranger.post(f"{VERIFICATION}/codes", {"code": licence["code"]})
        _expect(verdict, "invalid", "status.revoked")
        step.told = verdict["message"]


def change_one_byte(w: Walk) -> None:
    with w.journey.step("改 OFD 一字节，指出何处 / one byte of an OFD changed") as step:
        licence = w.licences[0]
        original = _file(w, licence, "ofd").read_bytes()
        entry = _page_entry(original)
        with Caller(w.base_url) as stranger:
            for changed in (_rewritten(original, entry), _flipped(original, entry)):
                verdict = _judged(stranger, "changed.ofd", changed)
                _expect(verdict, "invalid")
                parts = {
                    f["part"].lstrip("/") for f in verdict["findings"] if f["outcome"] == "failed"
                }
                if entry not in parts:
                    raise WalkError(f"{entry} was changed, {sorted(parts)} was named")
        step.told = entry


def forge_a_code(w: Walk) -> None:
    with w.journey.step("别的钥匙签的码被拒 / a code signed with another key refused") as step:
        genuine = read_sign1(read_code(w.licences[0]["code"]))
        forger = SoftwareSigner(generate(ES256))
        forged = code_text(w.base_url, sign1(genuine.payload, forger))
        with Caller(w.base_url) as stranger:
            verdict = stranger.post(f"{VERIFICATION}/codes", {"code": forged})
        _expect(verdict, "invalid", "code.unknown_issuer")
        step.told = verdict["message"]


def show_a_person_their_licences(w: Walk, browser: Browser) -> None:
    with w.journey.step("我的证照、照面与核验页 / pages a person opens") as step:
        page = browser.get("/my/licences")
        if "食品经营许可证" not in page.text:
            raise WalkError("the person's licences are not on their page")
        verify = browser.get("/v")
        told = browser.submit(verify, {"code": w.licences[0]["code"]})
        if "有效" not in told.text:
            raise WalkError("the verify page does not say that the code is valid")
        step.told = "/my/licences /v"


def keep_certificates(w: Walk) -> None:
    with w.journey.step("留下核验所需证书 / certificates kept for other tools") as step:
        folder = w.folder / "certificates"
        folder.mkdir(exist_ok=True)
        with Caller(w.base_url) as stranger:
            roots = stranger.get(f"{VERIFICATION}/trust-root").text
            signed_list = stranger.get(f"{VERIFICATION}/trust-list").text
        (folder / "trust-root.json").write_text(roots, encoding="ascii")
        (folder / "trust-list.jws").write_text(signed_list, encoding="ascii")
        trusted = _trust_list(roots, signed_list)
        found = {anchor.name: anchor.der for anchor in trusted.anchors}
        for licence in w.licences:
            now = datetime.now(UTC)
            for kind, verify in (("ofd", ofd_verify.verify), ("pdf", pdf_verify.verify)):
                content = _file(w, licence, kind).read_bytes()
                report = verify(content, Ground(trusted.anchors_for), now)
                for seal in report.seals:
                    found[f"{licence['issuer']}-{kind}"] = seal.signer_certificate
        for name, der in found.items():
            (folder / f"{name}.pem").write_text(_pem(der), encoding="ascii")
        step.told = str(len(found))


def _trust_list(roots: str, signed_list: str) -> TrustList:
    """Read the list as a verifier does that pins the root keys it meets at its first visit."""
    pinned = claimed_root(json.dumps(json.loads(roots)[0])).root_keys
    now = datetime.now(UTC)
    return read_trust_list(signed_list, read_roots(roots, pinned, now), now)


def _pem(der: bytes) -> str:
    body = textwrap.fill(base64.b64encode(der).decode(), 64)  # RFC 7468 §2
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def _holder_of_several_types(w: Walk) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Return a holder with licences of two types, and one licence of each."""
    of_holder: dict[str, dict[str, dict[str, Any]]] = {}
    for case, licence in zip(w.cases, w.licences, strict=True):
        for holder in case["holders"]:
            types = of_holder.setdefault(holder["number"], {})
            types[licence["type_code"]] = licence
            if len(types) > 1:
                return holder, list(types.values())
    raise WalkError("no holder in the examples has licences of two types")


def _lookup(holder: Mapping[str, str], licence: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "holder": {"number_type": holder["number_type"], "number": holder["number"]},
        "type_code": licence["type_code"],
        "purpose": "竣工验收备案审查",
        "case_number": "JGYS-2025-0042",
    }


def _expect(verdict: Mapping[str, Any], answer: str, code: str = "") -> None:
    codes = [finding["code"] for finding in verdict["findings"]]
    if verdict["answer"] != answer or (code and code not in codes):
        raise WalkError(f"expected {answer} {code}, the verdict is {json.dumps(verdict)[:600]}")


def _judged(stranger: Caller, name: str, data: bytes) -> Any:
    return stranger.post_file(f"{VERIFICATION}/files", name, data)


def _file(w: Walk, licence: Mapping[str, Any], suffix: str) -> Path:
    return w.folder / f"{licence['identifier']}.{suffix}"


def _page_entry(ofd: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(ofd)) as package:
        return next(n for n in package.namelist() if n.endswith("/Content.xml") and "Pages" in n)


def _rewritten(ofd: bytes, entry: str) -> bytes:
    """Return the package with one byte of the page's XML changed, as a careful forger would."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(ofd)) as package, zipfile.ZipFile(out, "w") as changed:
        for info in package.infolist():
            content = package.read(info)
            if info.filename == entry:
                at = content.rindex(b"</") - 2
                content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
            changed.writestr(info, content)
    return out.getvalue()


def _flipped(ofd: bytes, entry: str) -> bytes:
    """Return the package with one stored byte of the page flipped, as a bad disk would."""
    with zipfile.ZipFile(io.BytesIO(ofd)) as package:
        info = package.getinfo(entry)
    at = info.header_offset + 30 + len(info.filename.encode()) + info.compress_size // 2
    return ofd[:at] + bytes([ofd[at] ^ 1]) + ofd[at + 1 :]
