"""A tree of bodies to play with: a city, its county, a township, a village; and another county."""

from idp import staff
from idp.staffing import bodies
from idp.staffing.bodies import Body, Tier
from tests.idp.world import PASSWORD, World

CITY = "11990100MBXX90018M"
BUREAU = "11990100MBXX90026G"
COUNTY = "11990100MBXX90034B"
BY = "tester"


def coded(middle: str, division: str = "990102", kind: str = "11") -> str:
    """A USCC with its check digit: `middle` is the organisation code's first eight."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(alphabet.index(c) * w for c, w in zip(middle, weights, strict=True))
    check = 11 - total % 11
    code = middle + ("X" if check == 10 else "0" if check == 11 else str(check))
    uscc = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    first = f"{kind}{division}{code}"
    sum31 = sum(uscc.index(c) * pow(3, i, 31) for i, c in enumerate(first))
    return first + uscc[(31 - sum31 % 31) % 31]


TOWNSHIP = coded("MBXX9010")
VILLAGE = coded("MBXX9020", kind="54")
OTHER_COUNTY = coded("MBXX9030", "990103")

BODIES = (
    Body(CITY, "示例市人民政府", Tier.CITY, "990100"),
    Body(BUREAU, "示例市市场监督管理局", Tier.CITY, "990100", CITY),
    Body(COUNTY, "示例县人民政府", Tier.COUNTY, "990102", CITY),
    Body(TOWNSHIP, "示例乡人民政府", Tier.TOWNSHIP, "990102201", COUNTY),
    Body(VILLAGE, "示例村便民服务点", Tier.VILLAGE, "990102201001", TOWNSHIP),
    Body(OTHER_COUNTY, "另一县人民政府", Tier.COUNTY, "990103", CITY),
)


def plant(world: World) -> None:
    """Put the whole tree there."""
    with world.begin() as tx:
        for body in BODIES:
            bodies.place(tx, world.provider, body, by=BY)


def employ(world: World, body: str, *roles: str, username: str = "zhou.yuan") -> str:
    """Open an account at a body; return the subject."""
    opening = staff.Opening(username, "周远", body, roles, PASSWORD)
    with world.begin() as tx:
        return staff.open_account(tx, world.provider, opening, by=BY)


def scopes(world: World, subject: str) -> set[str]:
    """What somebody may do at their own body now."""
    with world.begin() as tx:
        return set(staff.member(tx, world.provider, subject).scopes)
