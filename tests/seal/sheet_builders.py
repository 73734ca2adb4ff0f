"""A form of two pages with a photograph, whose long values go on to further pages."""

from functools import cache
from io import BytesIO

from PIL import Image

from seal.face import Face
from seal.lay_out import lay_out
from seal.template import FaceTemplate, read
from tests.seal.face_builders import CODE

FORM = """
title = "示例资格证书"
[page]
width = 210.0
height = 297.0

[style.title]
typeface = "serif-bold"
size = 9.0
align = "centre"
[style.caption]
size = 4.0
[style.value]
size = 4.0
least_size = 3.0

[[label]]
text = "示例资格证书"
box = [20.0, 20.0, 170.0, 12.0]
style = "title"
[[slot]]
field = "holder_name"
box = [60.0, 50.0, 80.0, 8.0]
style = "value"
[[slot]]
field = "scope"
caption = "业务范围"
box = [60.0, 60.0, 80.0, 12.0]
style = "value"
[[slot]]
field = "history"
caption = "变更记录"
required = false
box = [60.0, 75.0, 80.0, 12.0]
style = "value"
[[picture]]
field = "photo"
says = "持证人照片"
box = [150.0, 45.0, 30.0, 40.0]

[[sheet]]
page = { width = 210.0, height = 148.0 }
[[sheet.label]]
text = "副页"
box = [20.0, 10.0, 170.0, 12.0]
style = "title"
[[sheet.slot]]
field = "number"
box = [60.0, 30.0, 80.0, 8.0]
style = "value"

[continuation]
page = { width = 210.0, height = 100.0 }
flow = { box = [20.0, 30.0, 170.0, 60.0], style = "value", notice = "（见附页）" }
[[continuation.label]]
text = "附页"
box = [20.0, 10.0, 170.0, 12.0]
style = "title"

[code]
x = 20.0
y = 230.0
side = 38.0
legend = "扫码核验"
legend_size = 4.0
host_size = 2.6

[seal]
x = 140.0
y = 230.0
width = 42.0
height = 42.0
"""

VALUES = {"holder_name": "张䶮", "scope": "房屋建筑工程", "number": "990100202611220101"}
LONG_SCOPE = "；".join(f"第{number}项示例市房屋建筑和市政基础设施工程" for number in range(1, 40))


@cache
def form() -> FaceTemplate:
    return read("certificate", FORM)


def photograph(kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (30, 60)) -> bytes:
    out = BytesIO()
    Image.new(mode, size, "teal" if mode != "L" else 90).save(out, kind)
    return out.getvalue()


def certificate(**values: str) -> Face:
    return lay_out(form(), VALUES | values, CODE, {"photo": photograph()})
