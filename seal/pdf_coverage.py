"""How much of a PDF a signature covers, and what was done to the file since it was signed.

pyHanko compares the revisions of the file (ISO 32000-2 §12.8.2.2); what its answer means is said here.
"""

from collections.abc import Iterator, Sequence, Set

from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult, ModificationLevel
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.status import SignatureCoverageLevel

from seal.pdf_places import POINTS_PER_MM
from seal.pdf_signatures import Kind, PlacedSignature, longest_side, shows_something
from seal.report import Finding, Outcome

_CHECK, _CERTIFICATION, _REVISIONS = "pdf.coverage", "pdf.certification", "pdf.revisions"
_LARGEST_SEAL = 100 * POINTS_PER_MM  # what is larger could be another page laid over the page


def coverage(placed: PlacedSignature, later: frozenset[str]) -> Finding:
    """Does the signature cover the file, and if the file went on, what came after?

    `later` are the names of the fields signed after this one.
    """
    part = placed.fq_name
    placed.coverage = covered = placed.evaluate_signature_coverage()
    all_of_it = covered >= SignatureCoverageLevel.ENTIRE_REVISION
    if not all_of_it or not placed.leaves_out_itself_alone:
        return _failed("pdf.not_covered", part)
    if covered is SignatureCoverageLevel.ENTIRE_FILE:
        return Finding(_CHECK, Outcome.OK, "pdf.covers_whole_file", part)
    changes = placed.evaluate_modifications(DEFAULT_DIFF_POLICY)
    if not isinstance(changes, DiffResult):
        return _failed("pdf.changed_since", part)
    return _changes(placed, changes, later)


def _changes(placed: PlacedSignature, changes: DiffResult, later: frozenset[str]) -> Finding:
    part, level = placed.fq_name, changes.modification_level
    match level:
        case ModificationLevel.NONE:
            return _failed("pdf.bytes_after", part)
        case ModificationLevel.LTA_UPDATES:
            return Finding(_CHECK, Outcome.OK, "pdf.extended_for_archive", part)
        case ModificationLevel.FORM_FILLING:
            allowed = placed.allows
            if allowed is not None and level.value > allowed.value:
                return _failed("pdf.change_forbidden", part)
            return _additions(placed, changes.changed_form_fields, later)
        case _:
            return _failed("pdf.changed_since", part)


def _additions(placed: PlacedSignature, changed: Set[str], later: Set[str]) -> Finding:
    """Are the fields that changed sealed, and do they show a seal and no more?

    What a field shows can cover any text. Nobody answers for one that is not sealed; and anybody has
    a time stamp for the asking.
    """
    fields = {str(name): field for name, _, field in enumerate_sig_fields(placed.reader)}
    seen = {name: fields[name] for name in changed & fields.keys()}
    if any(shows_something(field) for name, field in seen.items() if name not in later):
        return _failed("pdf.changed_since", placed.fq_name)
    of_usual_size = all(longest_side(field) <= _LARGEST_SEAL for field in seen.values())
    if changed and changed <= later and of_usual_size:
        return Finding(_CHECK, Outcome.OK, "pdf.signed_since", placed.fq_name)
    return Finding(_CHECK, Outcome.WARNING, "pdf.extended_since", placed.fq_name)


def certification(placed: PlacedSignature, first: bool) -> Iterator[Finding]:
    """Where the signer certifies the document, it is the first to sign (ISO 32000-2 §12.8.2.2.1)."""
    if placed.certifies and first:
        yield Finding(_CERTIFICATION, Outcome.OK, "pdf.certified", placed.fq_name)
    elif placed.certifies:
        yield Finding(_CERTIFICATION, Outcome.WARNING, "pdf.certified_late", placed.fq_name)


def whole_file(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Where the file went on after a signature, a signature has the last word."""
    told = {finding.code for finding in findings}
    if "pdf.extended_since" in told and "pdf.covers_whole_file" not in told:
        yield _failed("pdf.extended_unsigned", "")


def earlier_revisions(pdf: bytes, first: PlacedSignature) -> Iterator[Finding]:
    """What was sealed is the document as written, not a later version laid over another one.

    The versions below can be had back by anyone, and a reader that takes a wrong turn shows them.
    """
    # A linearized file has two tables from its beginning (ISO 32000-2 annex F).
    written_once = 1 + (b"/Linearized" in pdf[:1024])
    if first.signed_revision > written_once:
        yield Finding(_REVISIONS, Outcome.WARNING, "pdf.earlier_revisions")


def left_over(pdf: bytes, found: int) -> Iterator[Finding]:
    """No signature lies in the file that its form does not name: one taken off leaves its dictionary.

    A byte range cannot be in a compressed object, or it could not be filled in after signing.
    """
    if pdf.count(b"/ByteRange") > found:
        yield Finding(_REVISIONS, Outcome.WARNING, "pdf.signature_left_over")


def signed_after(placed: PlacedSignature, all_placed: Sequence[PlacedSignature]) -> frozenset[str]:
    """Return the names of the fields sealed after this one, or time-stamped with nothing to be seen."""
    return frozenset(
        other.fq_name
        for other in all_placed
        if other.signed_revision > placed.signed_revision and _is_in_keeping(other)
    )


def _is_in_keeping(later: PlacedSignature) -> bool:
    if later.kind is Kind.TIME_STAMP:  # is not to be seen (ISO 32000-2 §12.8.5)
        return longest_side(later.sig_field) == 0
    return later.kind is not Kind.OTHER


def _failed(code: str, part: str) -> Finding:
    return Finding(_CHECK, Outcome.FAILED, code, part)
