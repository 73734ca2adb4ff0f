"""Asks the nodes below for what changed in their registers of seals, each on its own (S04).

A node is asked on from the last change that is here until it has nothing new, a transaction a page:
whatever breaks off in between is gone on with at the next asking. What a node answers counts only
when signed by a key of its own trust list.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx2
import structlog

from idp.outgoing import Outgoing, OutgoingFailed
from keys.compact import TokenError
from keys.jose import LARGEST_DOCUMENT
from keys.signer import PublicKey
from keys.trust_signing import LARGEST
from seal.life import changes_http, flow, hearing, nodes_below
from seal.life.desk import SealDesk
from seal.life.errors import RegisterNewsWrong
from seal.life.flow import Page
from seal.life.nodes_below import Standing
from service.seal_nodes_file import SealNode
from verification.sources import HttpSources, status_list_keys

JOB = "ask_seal_nodes"

_MOST_PAGES = 50
"""How many pages of one node are taken at one asking; the next asking goes on."""
_AT_ONCE = 8

_log = structlog.get_logger("yinxin.seal_nodes")


class NodeSilent(Exception):
    """A node gave no answer that could be looked at; the text says why in a word."""


class _GuardedLine(httpx2.BaseTransport):
    """What a trust list is fetched over: our own way out, with its end to time and size."""

    def __init__(self, line: Outgoing) -> None:
        self._line = line

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        asked = {"Accept": "*/*"}
        try:
            status, body = self._line.ask(
                request.method, str(request.url), asked, most_bytes=LARGEST
            )
        except OutgoingFailed as failed:
            raise httpx2.TransportError(failed.reason.value, request=request) from None
        return httpx2.Response(status, content=body)


class SealNodes:
    """The nodes below this one, and the line they are asked over."""

    def __init__(self, nodes: Sequence[SealNode], desk: SealDesk, line: Outgoing) -> None:
        self.nodes = nodes
        self._desk = desk
        self._line = line
        client = httpx2.Client(transport=_GuardedLine(line))
        self._trust = {
            node.address: HttpSources(client, node.address, node.root_keys, desk.clock)
            for node in nodes
        }

    def ask_all(self) -> None:
        """Ask every node; the job `JOB`. What is wrong with one is noted, and stops no other."""
        with ThreadPoolExecutor(_AT_ONCE) as asking:
            for asked in [asking.submit(self.ask, node) for node in self.nodes]:
                asked.result()

    def ask(self, node: SealNode) -> Standing:
        """Take over what is new at a node, and return how it stands with it now."""
        try:
            newest = self._hear(node)
        except (NodeSilent, TokenError, RegisterNewsWrong) as wrong:
            return self._in_trouble(node, _word(wrong))
        except Exception:
            _log.exception("seal node failed", node=node.name)
            return self._in_trouble(node, "internal")
        with self._desk.begin() as tx:
            nodes_below.note_heard(tx, node.address, newest, self._desk.clock())
            return nodes_below.standing(tx, node.address)

    def standing(self, node: SealNode) -> Standing:
        """Return how it stands with a node, without asking it."""
        with self._desk.begin() as tx:
            return nodes_below.standing(tx, node.address)

    def _hear(self, node: SealNode) -> int:
        """Apply page after page, and return the number of the newest change that the node has.

        Raises NodeSilent, TokenError, RegisterNewsWrong.
        """
        with self._desk.begin() as tx:
            last = hearing.last_heard(tx, node.address)
        newest = last
        for _ in range(_MOST_PAGES):
            page = self._page(node, last)
            newest = page.newest
            with self._desk.begin() as tx:
                hearing.apply(tx, self._desk, node.address, page)
            if not page.changes:
                break
            last = page.changes[-1].number
        return newest

    def _page(self, node: SealNode, after: int) -> Page:
        url = f"{node.address}/api/seals{changes_http.PATH}?after={after}"
        try:
            body = self._line.get(url, accept="application/jose", most_bytes=LARGEST_DOCUMENT)
            token = body.decode("ascii")
        except OutgoingFailed as failed:
            raise NodeSilent(failed.reason.value) from None
        except UnicodeDecodeError:
            raise NodeSilent("protocol") from None
        page = flow.read_page(token, node.address, self._keys(node), self._desk.clock())
        if page.after != after:
            raise RegisterNewsWrong(reason="other")
        return page

    def _keys(self, node: SealNode) -> Mapping[str, PublicKey]:
        trust_list = self._trust[node.address].trust_list()
        if trust_list is None:
            raise NodeSilent("trust_list")
        return status_list_keys(trust_list, self._desk.clock())

    def _in_trouble(self, node: SealNode, trouble: str) -> Standing:
        with self._desk.begin() as tx:
            before = nodes_below.standing(tx, node.address).trouble
            nodes_below.note_trouble(tx, node.address, trouble, self._desk.clock())
            standing = nodes_below.standing(tx, node.address)
        # Told once, not each minute: `yinxin seal-nodes list` has it for as long as it lasts.
        if before != trouble:
            _log.warning("seal node in trouble", node=node.name, trouble=trouble)
        return standing


def _word(wrong: NodeSilent | TokenError | RegisterNewsWrong) -> str:
    match wrong:
        case RegisterNewsWrong():
            return str(wrong.parameters["reason"])
        case TokenError():
            return wrong.code
        case _:
            return str(wrong)
