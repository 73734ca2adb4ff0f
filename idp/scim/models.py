"""The resources of provisioning: users and groups as RFC 7643 has them, and what is ours beside it.

A group is a role at a body: whoever is a member of it holds the role there.
"""

from datetime import datetime
from typing import Annotated, Any, Generic

from pydantic import Field
from scim2_models import (
    URN,
    AnyExtension,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    Filter,
    Mutability,
    Pagination,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    Returned,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

from idp.staffing.roles import ORDINARY

PAGE = 100
"""Resources of a page when no count is asked for, and at most."""


class Held(ComplexAttribute):
    """A role held at the user's own body."""

    value: str | None = Field(None, examples=list(ORDINARY))


class InGroup(ComplexAttribute):
    """A group that the user is a member of."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    display: Annotated[str | None, Mutability.read_only] = None


class User(Resource[AnyExtension], Generic[AnyExtension]):
    """A member of staff (RFC 7643 §4.1)."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Required.true, CaseExact.true, Uniqueness.server] = None
    display_name: Annotated[str | None, Required.true] = None
    active: bool | None = None
    password: Annotated[str | None, Mutability.write_only, Returned.never] = None
    roles: list[Held] | None = None
    groups: Annotated[list[InGroup] | None, Mutability.read_only] = None


class Employment(Extension):
    """Where a member of staff works, from when on, and until when.

    Another `body` is a transfer, at `since` when that is to come; `until` closes the account.
    """

    __schema__ = URN("urn:yinxin:scim:schemas:2.0:Employment")

    body: Annotated[str | None, Required.true, CaseExact.true] = None
    since: datetime | None = None
    until: datetime | None = None


class Member(ComplexAttribute):
    """A user in a group."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference[User[Any]] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])


class Group(Resource[AnyExtension], Generic[AnyExtension]):
    """A role at a body, and who holds it by this group (RFC 7643 §4.2)."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    members: list[Member] | None = None


class Post(Extension):
    """The role and the body of a group; `below`: it holds in all bodies below as well."""

    __schema__ = URN("urn:yinxin:scim:schemas:2.0:Post")

    role: Annotated[str | None, Required.true, CaseExact.true] = Field(
        None, examples=list(ORDINARY)
    )
    body: Annotated[str | None, Required.true, CaseExact.true] = None
    below: bool | None = None


StaffUser = User[Annotated[Employment, Required.true]]
StaffGroup = Group[Annotated[Post, Required.true]]

CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=PAGE),
    change_password=ChangePassword(supported=True),
    sort=Sort(supported=True),
    etag=ETag(supported=True),
    pagination=Pagination(
        cursor=False,
        index=True,
        default_pagination_method=Pagination.DefaultPaginationMethod.index,
        default_page_size=PAGE,
        max_page_size=PAGE,
    ),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="OAuth 2.0",
            description="An access token with the scope scim (RFC 6750).",
            primary=True,
        )
    ],
)

PROVIDER = ScimProvider(
    models=[User, Employment, Group, Post],
    resource_types=[ResourceType.from_resource(kind) for kind in (StaffUser, StaffGroup)],
    config=CONFIG,
    # What other systems know of people besides is none of our business, and no error.
    policy=ScimPolicy(unknown=ScimPolicy.Unknown.ignore),
)
