"""The structure tree of a PDF (ISO 32000-1 §14.7): what its pages say, in the order it is read."""

from collections.abc import Sequence
from dataclasses import dataclass

from pikepdf import Array, Dictionary, Name, Object, Pdf, String


@dataclass(frozen=True, slots=True)
class Content:
    """A piece of marked content: its number on the page, and the words for a picture of something."""

    mcid: int
    alternative: str = ""


def write_structure(pdf: Pdf, pages: Sequence[tuple[Object, Sequence[Content]]]) -> None:
    """Tag `pdf`: each page (indirect) with its content in reading order."""
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    document = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Document, P=root))
    elements: list[Object] = []
    parents: list[Object | int] = []
    for at, (page, contents) in enumerate(pages):
        told = {c.mcid: pdf.make_indirect(_element(c, document, page)) for c in contents}
        elements += told.values()
        page.StructParents = at
        page.Tabs = Name.S
        parents += [at, pdf.make_indirect(Array(told[mcid] for mcid in sorted(told)))]
    document.K = Array(elements)
    root.K = document
    root.ParentTree = pdf.make_indirect(Dictionary(Nums=Array(parents)))
    root.ParentTreeNextKey = len(pages)
    pdf.Root.StructTreeRoot = root
    pdf.Root.MarkInfo = Dictionary(Marked=True)


def _element(content: Content, document: Object, page: Object) -> Object:
    element = Dictionary(
        {
            "/Type": Name.StructElem,
            "/S": Name.Figure if content.alternative else Name.P,
            "/P": document,
            "/Pg": page,
            "/K": content.mcid,
        }
    )
    if content.alternative:
        element.Alt = String(content.alternative)
    return element
