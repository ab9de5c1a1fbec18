"""Draws the picture of a link: the topics, the title, and a band that says who answers and how sure it is.

All lengths are of half pixels: Pillow smooths letters but no circles, so that all is drawn twice as large.
"""

import math
from io import BytesIO

from PIL import Image, ImageColor, ImageDraw

from app.content.social_card import SocialCard
from app.content.wrapping import wrap
from app.services.lettering import Face, Inks

FINE = 2
WIDTH, HEIGHT = 1200 * FINE, 630 * FINE

# As in static/css/tokens.css.
PAPER, TINT, INK, LINE = "#fcfbf8", "#e3f1ec", "#1d1c1a", "#cbc6b9"
ACCENT, ON_ACCENT = "#0b6b5b", "#ffffff"
RING = "#f1f4ee"  # the mark behind the title: hardly darker than the paper, for text stands on it
TITLE, TOPIC = Inks(INK, ACCENT, LINE), Inks(ACCENT, ACCENT, ACCENT)
NAME, FACT = Inks(ON_ACCENT, ON_ACCENT, ON_ACCENT), Inks(TINT, TINT, TINT)

SEEN_TOGETHER = (
    (INK, PAPER), (INK, RING), (LINE, PAPER), (LINE, RING), (RING, PAPER), (TINT, PAPER),
    (ACCENT, PAPER), (ACCENT, RING), (ACCENT, TINT), (ON_ACCENT, ACCENT),
)  # fmt: skip
EDGE_STEP = 20  # of 255: finer ones are not seen

LEFT, RIGHT = 152, WIDTH - 152
TOPICS_TOP, TOPIC_HEIGHT, TOPIC_SIZE = 120, 96, 54
TITLE_TOP, TITLE_BOTTOM, BAND_TOP = 268, 960, 1028
SIZES = (224, 200, 180, 162, 146, 130, 116, 104)
MOST_LINES = 5
LEADING = 1.27  # of the size
CAPITALS = 0.73


def draw(card: SocialCard) -> bytes:
    """Return the picture as PNG."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    canvas = ImageDraw.Draw(image)
    _mark(canvas, 1990, 420, 640, 137, RING)
    _topics(canvas, card.topics)
    _title(canvas, card.title)
    canvas.rectangle((0, BAND_TOP, WIDTH, HEIGHT), fill=ACCENT)
    _band(canvas, card)
    written = BytesIO()
    image.reduce(FINE).quantize(palette=_palette(), dither=Image.Dither.NONE).save(written, "PNG")
    return written.getvalue()


def _palette() -> Image.Image:
    """Return the colours above, and those between two that meet at the edge of a letter: exact, small and quick."""
    colours: dict[tuple[int, ...], None] = {}
    for pair in SEEN_TOGETHER:
        first, second = map(ImageColor.getrgb, pair)
        steps = max(abs(one - other) for one, other in zip(first, second, strict=True)) // EDGE_STEP + 1
        for step in range(steps + 1):
            mixed = (one + (other - one) * step / steps for one, other in zip(first, second, strict=True))
            colours[tuple(map(round, mixed))] = None
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in colours for part in colour])
    return palette


def _topics(canvas: ImageDraw.ImageDraw, topics: tuple[str, ...]) -> None:
    """Draw as many as have room, in the order in which the author wrote them."""
    face = Face(TOPIC_SIZE)
    x, bottom = float(LEFT), TOPICS_TOP + TOPIC_HEIGHT
    for topic in map(face.readable, topics):
        end = x + face.width(topic) + 76
        if end <= RIGHT:
            canvas.rounded_rectangle((x, TOPICS_TOP, end, bottom), TOPIC_HEIGHT // 2, fill=TINT)
            face.draw(canvas, x + 38, bottom - 30, topic, TOPIC)
            x = end + 24


def _title(canvas: ImageDraw.ImageDraw, title: tuple[str, ...]) -> None:
    """Draw the title as large as it fits, in the middle of its room."""
    for size in SIZES:
        face = Face(size)
        most = min(MOST_LINES, int((TITLE_BOTTOM - TITLE_TOP) / (size * LEADING)))
        parts = [wrap(face.readable(part), face.width, RIGHT - LEFT, most) for part in title]
        lines = [line for part in parts for line in part.lines]
        if all(part.is_whole for part in parts) and len(lines) <= most:
            break
    height = size * (LEADING * (len(lines) - 1) + CAPITALS)
    for number, line in enumerate(lines):
        baseline = (TITLE_TOP + TITLE_BOTTOM - height) / 2 + size * (CAPITALS + LEADING * number)
        face.draw(canvas, LEFT, baseline, line, TITLE)


def _band(canvas: ImageDraw.ImageDraw, card: SocialCard) -> None:
    """Draw the site's name on the left, and on the right what is sure about the answer."""
    middle = (BAND_TOP + HEIGHT) / 2
    face = Face(54)
    facts = face.readable(" · ".join(filter(None, (card.checked, card.sources))))
    start = RIGHT - face.width(facts)
    if facts:
        face.draw(canvas, start, middle + 19, facts, FACT)
    if card.checked:
        start -= 74
        tick = [(start, middle + 2), (start + 14, middle + 16), (start + 42, middle - 16)]
        canvas.line(tick, fill=FACT.text, width=7, joint="curve")
    canvas.rounded_rectangle((LEFT, middle - 56, LEFT + 112, middle + 56), 26, fill=ON_ACCENT)
    _mark(canvas, LEFT + 56, middle, 30, 9.3, ACCENT)
    face = Face(66)
    name = wrap(face.readable(card.site), face.width, start - LEFT - 200, 1).lines
    face.draw(canvas, LEFT + 146, middle + 24, " ".join(name), NAME)


def _mark(canvas: ImageDraw.ImageDraw, x: float, y: float, radius: float, stroke: float, colour: str) -> None:
    """Draw the mark of templates/macros/icons.html: a ring with a gap, a dot in it, and one that left it."""
    unit = radius / 8.4
    gap = math.atan2(3.4, 7.6)
    outer = radius + stroke / 2
    canvas.arc((x - outer, y - outer, x + outer, y + outer), math.degrees(gap), 360, fill=colour, width=round(stroke))
    ends = [(x + radius * math.cos(angle), y + radius * math.sin(angle), stroke / 2) for angle in (0, gap)]
    for across, down, size in (*ends, (x, y, 2.6 * unit), (x + 8 * unit, y + 6.6 * unit, 1.7 * unit)):
        canvas.ellipse((across - size, down - size, across + size, down + size), fill=colour)
