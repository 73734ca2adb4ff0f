"""The wire shapes of the administration of other nodes and of people who come from them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from idp.nodes.conflicts import Resolution


class NodeOut(BaseModel):
    """Another node; of a city that is told of people, how far it is behind."""

    issuer: str
    name: str
    place: str = Field(description="`above`: our province; `below`: a city of ours.")
    people_behind: int | None = Field(None, description="For how many people it is behind.")
    behind_since: datetime | None = None
    attempts: int | None = None
    outcome: str | None = Field(None, description="How the last telling that failed went.")


class NodesOut(BaseModel):
    """All other nodes, by name."""

    nodes: list[NodeOut]


class RowOut(BaseModel):
    """What became of a row."""

    id: str
    outcome: str = Field(description="new, merged, conflict or rejected.")
    reason: str
    subject: str | None


class ImportedOut(BaseModel):
    """What became of each row of a file, in its order."""

    rows: list[RowOut]


class ConflictOut(BaseModel):
    """Somebody who came from another node and is here otherwise."""

    id: int
    source: str
    row: str
    came_by: str
    reason: str = Field(
        description="What is otherwise: `name`, `closed`, `phone`, `number` or `link`."
    )
    subject: str
    opened_at: datetime


class ConflictsOut(BaseModel):
    """The conflicts that wait, the oldest first."""

    conflicts: list[ConflictOut]


class ResolutionIn(BaseModel):
    """What was decided."""

    model_config = ConfigDict(extra="forbid")

    resolution: Resolution
