"""Custom tags: which page objects print which datum (数据标引, GB/T 33190-2016 §16).

The standard leaves the schema of a tag file to its maker; this is ours.
"""

from collections.abc import Mapping, Sequence

from lxml import etree

from seal.ofd_xml import add, new_root

TAGS_NAMESPACE = "urn:yinxin:ofd:licence-tags:1"
CODE_TAG = "code"

Tags = dict[str, list[tuple[str, str]]]
"""The page and object ids that print each field, by its name."""


def tag_list() -> etree._Element:
    """Return CustomTags.xml."""
    root = new_root("CustomTags")
    tag = add(root, "CustomTag", NameSpace=TAGS_NAMESPACE)
    add(tag, "FileLoc", "CustomTag.xml")
    return root


def tag_file(tags: Mapping[str, Sequence[tuple[str, str]]]) -> etree._Element:
    """Return CustomTag.xml: a Datum a field, an ObjectRef a page object."""
    root = etree.Element(f"{{{TAGS_NAMESPACE}}}Licence", nsmap={"yx": TAGS_NAMESPACE})
    for name, places in tags.items():
        datum = add(root, "Datum", Name=name)
        for page_id, object_id in places:
            add(datum, "ObjectRef", object_id, PageRef=page_id)
    return root
