"""Pictures for the demo: a drawn corner of a room, before and after, never the same twice."""

from __future__ import annotations

import hashlib
import io

from PIL import Image, ImageDraw

_SIZE = (480, 320)
_WALL, _FLOOR = (214, 209, 196), (150, 139, 122)
_BAD, _GOOD = (178, 60, 44), (58, 128, 82)


def picture(name: str, *, good: bool) -> bytes:
    """A PNG that depends on the name alone; `good` shows the thing put right."""
    seed = hashlib.sha256(name.encode()).digest()
    image = Image.new("RGB", _SIZE, _WALL)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 230, *_SIZE), fill=_FLOOR)
    for index in range(5):
        left = 20 + index * 90 + seed[index] % 30
        top = 60 + seed[index + 5] % 90
        shade = tuple(60 + value % 120 for value in seed[index * 3 : index * 3 + 3])
        draw.rectangle((left, top, left + 50, 250 - seed[index + 9] % 30), fill=shade)
    colour = _GOOD if good else _BAD
    draw.rectangle((170, 110, 310, 210), outline=colour, width=8)
    if good:
        draw.line((200, 160, 232, 190, 284, 128), fill=colour, width=10)
    else:
        draw.line((200, 130, 280, 190), fill=colour, width=10)
        draw.line((280, 130, 200, 190), fill=colour, width=10)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()
