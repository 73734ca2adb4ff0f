"""Is this licence genuine and in force? One big answer first, then why.

The printed code leads to `/v#…`: the part behind # stays in the browser, whose script posts it to
this same page. Without scripts the link is pasted, or a file is uploaded; the answer is the same.
"""

from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from license_store.catalogue import DERIVED
from seal.report import Finding, Outcome
from service.pages.forms import Faults, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World
from verification.document import MOST_BYTES, judge_file
from verification.errors import FileRefused
from verification.scan import judge_code
from verification.verdict import Answer, Verdict

_TONES = {Answer.VALID: "good", Answer.INVALID: "bad", Answer.UNKNOWN: "unsure"}
_OUTCOMES = {
    Outcome.OK: ("ok", "good"),
    Outcome.WARNING: ("warning", "warn"),
    Outcome.FAILED: ("bad", "bad"),
    Outcome.UNKNOWN: ("unsure", "unsure"),
}
_LONGEST_CODE = 4096


@dataclass(frozen=True, slots=True)
class Reason:
    """One check as the page tells it."""

    sentence: str
    word: str
    tone: str
    code: str
    part: str


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route("/v", page(world, _verify, public=True), methods=["GET", "POST"])]


def _verify(visit: Visit) -> Response:
    if not visit.posted:
        return _form(visit, Faults())
    if "file" in visit.form:
        return _judge_file(visit)
    code = visit.typed("code").strip()
    if not code:
        return _form(visit, Faults({"code": visit.t("verify.missing_code")}), 422)
    verdict = judge_code(visit.world.verifier, code[:_LONGEST_CODE])
    return _answer(visit, verdict, visit.t("verify.checked_code"))


def _judge_file(visit: Visit) -> Response:
    upload = visit.uploaded("file")
    if upload is None:
        return _form(visit, Faults({"file": visit.t("verify.missing_file")}), 422)
    try:
        verdict = judge_file(visit.world.verifier, upload.file.read(MOST_BYTES + 1))
    except FileRefused as refused:
        return _form(visit, Faults({"file": told(visit, refused)}), status_of(refused.code))
    name = (upload.filename or "")[-80:]
    return _answer(visit, verdict, visit.t("verify.checked_file", name=name))


def _form(visit: Visit, faults: Faults, status: int = 200) -> Response:
    return draw(visit, "verify.html", status, faults=faults, code=visit.typed("code"))


def _answer(visit: Visit, verdict: Verdict, what: str) -> Response:
    return draw(
        visit,
        "verdict.html",
        verdict=verdict,
        tone=_TONES[verdict.answer],
        because=_because(visit, verdict),
        reasons=[_reason(visit, finding) for finding in verdict.findings],
        what=what,
    )


def _because(visit: Visit, verdict: Verdict) -> str:
    """Return the sentence of the check that decided against the licence, if one did."""
    against = {Answer.INVALID: Outcome.FAILED, Answer.UNKNOWN: Outcome.UNKNOWN}
    decisive = against.get(verdict.answer)
    found = [finding for finding in verdict.findings if finding.outcome is decisive]
    return _reason(visit, found[0]).sentence if found else ""


def _reason(visit: Visit, finding: Finding) -> Reason:
    word, tone = _OUTCOMES[finding.outcome]
    return Reason(
        sentence=visit.t(f"finding.{finding.code}.text", part=_in_words(visit, finding)),
        word=visit.t(f"verify.{word}"),
        tone=tone,
        code=finding.code,
        part=finding.part,
    )


def _in_words(visit: Visit, finding: Finding) -> str:
    """Return the part a finding is about as the reader knows it: fields of a face by their labels."""
    if finding.code != "printed.differs":
        return finding.part
    english = visit.locale == "en"
    labels = {name: visit.t(f"field.{name}") for name in DERIVED} | {
        told.name: told.en if english else told.zh
        for licence_type in visit.world.desk.catalogue
        for told in licence_type.fields
    }
    joint = ", " if english else "、"
    return joint.join(labels.get(name, name) for name in finding.part.split(", "))
