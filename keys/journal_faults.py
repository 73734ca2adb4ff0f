"""What can be wrong with the journal, an error each: what was done, at which place, to which row.

`position` is the place in the chain; `row` the id of the row that stands there, where one does.
"""

from keys.errors import DomainError


class JournalBroken(DomainError):
    """The journal is not what was written; the code says what was done to it first."""

    code = "journal.broken"


class JournalRowChanged(JournalBroken):
    """The row does not give its digest: something in it was altered, or it was made up."""

    code = "journal.row_changed"


class JournalRowMissing(JournalBroken):
    """No row stands at this place, though there are later ones, or it was asked for."""

    code = "journal.row_missing"


class JournalRowMisplaced(JournalBroken):
    """Another row stands here than was chained here; `belongs` is the id of the one that was.

    Rows changed places, or one was put in between.
    """

    code = "journal.row_misplaced"


class JournalCutOff(JournalBroken):
    """The chain ends before `position`, and a signed head tells of `head` rows."""

    code = "journal.cut_off"


class JournalRewritten(JournalBroken):
    """The chain holds in itself, but is not the one whose head was signed at `position`."""

    code = "journal.rewritten"


class JournalHeadForged(JournalBroken):
    """The head stored for `position` is not signed by a key of the journal, or not as it stands."""

    code = "journal.head_forged"


class JournalHeadMissing(JournalBroken):
    """The head signed before the one at `position` is gone."""

    code = "journal.head_missing"
