"""Text set in boxes: broken into lines, sized and placed.

Chinese lines break between any two characters but for the rules of GB/T 15834-2011 §5.1 (避头尾):
no line begins with a closing mark or ends with an opening one; a Latin word or a number stays
whole where the line allows. Text shrinks within the limits of its style, and what still does not
fit or cannot be printed is refused by name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from keys.errors import DomainError
from seal import fonts
from seal.face import Box, TextRun
from seal.template import Align, Style

NEVER_FIRST = frozenset("，。、；：？！）》〉」』】〕｝”’…—～·％℃㎡㎥,.;:?!)]}%")
NEVER_LAST = frozenset("（《〈「『【〔｛“‘￥＄([{$#")

LEADING = 1.3
"""From baseline to baseline, in ems."""

ASCENT = 0.88
"""How far the ideographic box reaches above the baseline, in ems."""

_STEP = 0.1  # mm between two sizes that are tried
_WORTH_SHRINKING = 0.86  # text may become this much smaller to save a line
_TOLERANCE = 1e-6


class FieldTooLong(DomainError):
    """The value of `field` does not fit its place even at the smallest size."""

    code = "face.field_too_long"


class GlyphMissing(DomainError):
    """`character` (`code_point`) in `field` cannot be printed."""

    code = "face.glyph_missing"


def set_text(text: str, box: Box, style: Style, field: str = "") -> tuple[TextRun, ...]:
    """Return `text` set in `box`: wrapped, as big as the style allows, centred vertically.

    A newline in `text` ends a line. Raises `GlyphMissing` and `FieldTooLong`; `field` goes into
    the runs and the errors.
    """
    hard_lines = [line for line in text.splitlines() if line.strip()]
    _refuse_unprintable("".join(hard_lines), style, field)
    fitted = _fit([_clusters(line, style) for line in hard_lines], box, style)
    if fitted is None:
        raise FieldTooLong(field=field)
    size, lines = fitted
    height = size * (1 + LEADING * (len(lines) - 1))
    first = box.y + (box.height - height) / 2 + ASCENT * size
    return tuple(
        _run(line, box, style, size, first + number * LEADING * size, field)
        for number, line in enumerate(lines)
    )


def _refuse_unprintable(text: str, style: Style, field: str) -> None:
    for character in fonts.missing(style.typeface, text):
        raise GlyphMissing(
            field=field,
            character=character if character.isprintable() else "",
            code_point=f"U+{ord(character):04X}",
        )


def _run(
    line: "_Cluster", box: Box, style: Style, size: float, baseline: float, field: str
) -> TextRun:
    room = box.width - line.width(size, style)
    before = {Align.LEFT: 0.0, Align.CENTRE: room / 2, Align.RIGHT: room}[style.align]
    return TextRun(
        text=line.text,
        x=box.x + before,
        baseline=baseline,
        size=size,
        typeface=style.typeface,
        advances=tuple(em * size + style.letter_spacing for em in line.ems),
        field=field,
        colour=style.colour,
    )


# --- Breaking lines ---


@dataclass(frozen=True, slots=True)
class _Cluster:
    """Characters that stay on one line, and their widths in ems."""

    text: str
    ems: tuple[float, ...]

    def __add__(self, other: "_Cluster") -> "_Cluster":
        return _Cluster(self.text + other.text, self.ems + other.ems)

    def width(self, size: float, style: Style) -> float:
        """How long the cluster is in mm; the last character needs no letter spacing after it."""
        return sum(self.ems) * size + style.letter_spacing * (len(self.text) - 1)

    def characters(self) -> Iterator["_Cluster"]:
        return (_Cluster(c, (em,)) for c, em in zip(self.text, self.ems, strict=True))

    def trimmed(self) -> "_Cluster":
        """The cluster without spaces at either end."""
        start = len(self.text) - len(self.text.lstrip())
        end = len(self.text.rstrip())
        return _Cluster(self.text[start:end], self.ems[start:end])


def _clusters(text: str, style: Style) -> tuple[_Cluster, ...]:
    """Cut `text` at every place where a line may end."""
    ems = fonts.advances(style.typeface, text, 1.0)
    clusters: list[_Cluster] = []
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or _may_break(text[at - 1], text[at]):
            clusters.append(_Cluster(text[start:at], ems[start:at]))
            start = at
    return tuple(clusters)


def _may_break(before: str, after: str) -> bool:
    if after in NEVER_FIRST or before in NEVER_LAST:
        return False
    if before.isspace() or after.isspace():
        return before.isspace() and not after.isspace()
    return not (_in_word(before) and _in_word(after))


def _in_word(character: str) -> bool:
    return character.isascii() and not character.isspace()


def _fit(
    paragraphs: Sequence[Sequence[_Cluster]], box: Box, style: Style
) -> tuple[float, tuple[_Cluster, ...]] | None:
    """Return the size and the lines that fit: the biggest size, or a little less to save a line."""
    best: tuple[float, tuple[_Cluster, ...]] | None = None
    for size in _sizes(style):
        if best is not None and (len(best[1]) == 1 or size < best[0] * _WORTH_SHRINKING):
            break
        lines = _paragraphs(paragraphs, box, size, style)
        if lines is None or size * (1 + LEADING * (len(lines) - 1)) > box.height + _TOLERANCE:
            continue
        if best is None:
            best = (size, lines)
        elif len(lines) < len(best[1]):
            return size, lines
    return best


def _rows(box: Box, size: float) -> int:
    """How many lines a box holds."""
    return int((box.height / size - 1 + _TOLERANCE) / LEADING + _TOLERANCE) + 1


def _sizes(style: Style) -> Iterator[float]:
    steps = int((style.size - style.least_size) / _STEP + _TOLERANCE)
    for step in range(steps + 1):
        yield round(style.size - step * _STEP, 4)


def _paragraphs(
    paragraphs: Sequence[Sequence[_Cluster]], box: Box, size: float, style: Style
) -> tuple[_Cluster, ...] | None:
    lines: list[_Cluster] = []
    for clusters in paragraphs:
        broken = _lines(clusters, box.width, size, style, _rows(box, size))
        if broken is None:
            return None
        lines.extend(broken)
    return tuple(lines)


def _joined(clusters: Sequence[_Cluster]) -> _Cluster:
    text = "".join(cluster.text for cluster in clusters)
    return _Cluster(text, tuple(em for cluster in clusters for em in cluster.ems))


def _lines(
    clusters: Sequence[_Cluster], width: float, size: float, style: Style, most: int
) -> tuple[_Cluster, ...] | None:
    """Fill lines one after the other; None when a character is wider than the line.

    None as well once there are more than `most`: a text may be endless.
    """
    whole = _joined(clusters).trimmed()
    if whole.width(size, style) <= width + _TOLERANCE:
        return (whole,)
    lines: list[_Cluster] = []
    for cluster in clusters:
        if lines and (lines[-1] + cluster).trimmed().width(size, style) <= width + _TOLERANCE:
            lines[-1] += cluster
        elif cluster.trimmed().width(size, style) <= width + _TOLERANCE:
            lines.append(cluster)
        elif len(cluster.text) == 1:
            return None
        else:
            pieces = _lines(tuple(cluster.characters()), width, size, style, most)
            if pieces is None:
                return None
            lines.extend(pieces)
        if len(lines) > most:
            return None
    return tuple(line.trimmed() for line in lines)
