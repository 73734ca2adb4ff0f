"""What makes a PDF an archive file, besides its pages: XMP, the sRGB output intent, attached files.

PDF/A-3 level B (ISO 19005-3): §6.2.3 output intents, §6.6 metadata, §6.8 embedded files.
"""

from functools import cache
from xml.sax.saxutils import escape

from pikepdf import Array, Dictionary, Name, Object, Pdf, String
from PIL import ImageCms

from seal.face import Attachment, DocumentInfo
from seal.pdf_streams import add_stream, deflated

PRODUCER = "Yinxin"

_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<pdfaid:part>3</pdfaid:part>
<pdfaid:conformance>B</pdfaid:conformance>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:identifier>{identifier}</dc:identifier>
<dc:language><rdf:Bag><rdf:li>zh-CN</rdf:li></rdf:Bag></dc:language>
<xmp:CreateDate>{created_on}</xmp:CreateDate>
<xmp:CreatorTool>{producer}</xmp:CreatorTool>
<pdf:Producer>{producer}</pdf:Producer>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def write_metadata(pdf: Pdf, info: DocumentInfo) -> None:
    """Say who made what and when: in XMP, and the same in the document information dictionary."""
    packet = _XMP.format(
        title=escape(info.title),
        author=escape(info.author),
        identifier=escape(info.document_id),
        created_on=escape(info.created_on),
        producer=PRODUCER,
    )
    metadata = pdf.make_stream(packet.encode(), Type=Name.Metadata, Subtype=Name.XML)
    pdf.Root.Metadata = metadata
    pdf.Root.Lang = String("zh-CN")
    pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    told = {
        "/Title": info.title,
        "/Author": info.author,
        "/Creator": PRODUCER,
        "/Producer": PRODUCER,
        "/CreationDate": pdf_date(info.created_on),
        **{f"/{name}": value for name, value in info.custom},
    }
    for name, value in told.items():
        pdf.docinfo[name] = String(value)


def pdf_date(iso_date: str) -> str:
    """Return `D:YYYYMMDD` for an ISO 8601 calendar date (ISO 32000-1 §7.9.4)."""
    return "D:" + iso_date[:10].replace("-", "")


def write_output_intent(pdf: Pdf) -> None:
    """Say that DeviceRGB means sRGB."""
    profile = add_stream(pdf, _srgb(), N=3)
    intent = Dictionary(
        Type=Name.OutputIntent,
        S=Name.GTS_PDFA1,
        OutputConditionIdentifier=String("sRGB IEC61966-2.1"),
        Info=String("sRGB IEC61966-2.1"),
        DestOutputProfile=profile,
    )
    pdf.Root.OutputIntents = Array([intent])


@cache
def _srgb() -> bytes:
    """The profile, deflated."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # ICC.1:2010 §7.2.8: the header's date; fixed, so that the same input makes the same bytes.
    profile[24:36] = bytes.fromhex("07e8 0001 0001 0000 0000 0000")
    return deflated(bytes(profile))


def attach(pdf: Pdf, attachments: tuple[Attachment, ...], info: DocumentInfo) -> None:
    """Carry files in the PDF, each an associated file of the document (AFRelationship Data)."""
    if not attachments:
        return
    specifications = [pdf.make_indirect(_file(pdf, a, info)) for a in attachments]
    named = sorted(zip((a.name for a in attachments), specifications, strict=True))
    names = Array(part for name, file in named for part in (String(name), file))
    pdf.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=names))
    pdf.Root.AF = Array(specifications)


def _file(pdf: Pdf, attachment: Attachment, info: DocumentInfo) -> Object:
    stream = add_stream(
        pdf,
        deflated(attachment.content),
        Type=Name.EmbeddedFile,
        Subtype=Name("/" + attachment.media_type),
        Params=Dictionary(Size=len(attachment.content), ModDate=String(pdf_date(info.created_on))),
    )
    return Dictionary(
        Type=Name.Filespec,
        F=String(attachment.name),
        UF=String(attachment.name),
        AFRelationship=Name.Data,
        Desc=String(attachment.name),
        EF=Dictionary(F=stream, UF=stream),
    )
