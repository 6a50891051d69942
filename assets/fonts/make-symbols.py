"""Makes the two faces of "Quarterdeck Symbols": what terminals print and JetBrains Mono does not have. See README.md.

    python3 -m venv venv && venv/bin/pip install fonttools==4.66.1 brotli
    npm pack @fontsource/noto-sans-symbols-2@5.3.0 && tar xzf fontsource-noto-sans-symbols-2-5.3.0.tgz
    venv/bin/python make-symbols.py /usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf \
        /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf package/files

Every glyph gets the advance of JetBrains Mono (600 of 1000) and the face its line metrics, so that a cell stays a cell
and a line with a symbol is as high as one without. Prints the unicode-range of each face for tokens.css.
"""

import sys
import unicodedata
from glob import glob
from pathlib import Path

from fontTools.misc.transform import Transform
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem

HERE = Path(__file__).parent
UPEM, ADVANCE, ASCENT, DESCENT = 1000, 600, 1020, -300
# The middle of a line's capitals: what is too wide is made smaller around it.
MIDDLE = 365
# General punctuation to number forms, arrows to technical, pictures of controls, shapes to dingbats, arrows, braille.
RANGES = [(0x2010, 0x218F), (0x2190, 0x243F), (0x25A0, 0x27FF), (0x2800, 0x28FF), (0x2900, 0x29FF), (0x2B00, 0x2BFF)]

# What programs print and DejaVu has in its proportional face only: reference mark, information, circle arrows.
BORROWED = {0x203B, 0x2139, 0x27F2, 0x27F3}


def cmap(path):
    return set(TTFont(path).getBestCmap())


def wanted():
    """All of RANGES that takes one cell and JetBrains Mono lacks."""
    # JetBrains Mono draws the prompts of shells, U+276E and U+276F, as brackets: those are taken from the others too.
    have = cmap(HERE / "jetbrains-mono-full-400.woff2") | cmap(HERE / "jetbrains-mono-latin-wght-normal.woff2")
    points = {point for low, high in RANGES for point in range(low, high + 1)}
    narrow = {p for p in points if unicodedata.east_asian_width(chr(p)) not in "WF" and unicodedata.category(chr(p)) not in ("Cn", "Cf", "Mn", "Me", "Zs", "Zl", "Zp")}
    return (narrow - have) | {0x276E, 0x276F}


def subset(path, points):
    font = TTFont(path)
    options = Options(layout_features=[], hinting=False, glyph_names=False, notdef_outline=True, name_IDs=[0, 13, 14])
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "FFTM", "kern", "vhea", "vmtx", "VORG"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=points)
    subsetter.subset(font)
    scale_upem(font, UPEM)
    return font


def redraw(font, name, transform):
    pen = TTGlyphPen(None)
    font.getGlyphSet()[name].draw(TransformPen(pen, transform))
    glyph = pen.glyph()
    glyph.recalcBounds(font["glyf"])
    font["glyf"][name] = glyph
    font["hmtx"][name] = (ADVANCE, getattr(glyph, "xMin", 0))


def fit(font):
    """Sets every glyph into its cell: braille stretched to the cell's width, the rest shrunk where too wide, and centred."""
    braille = {name for point, name in font.getBestCmap().items() if 0x2800 <= point <= 0x28FF}
    glyphs = font.getGlyphSet()
    flat = {}
    for name in font.getGlyphOrder():
        pen = TTGlyphPen(glyphs)
        recording = DecomposingRecordingPen(glyphs)
        glyphs[name].draw(recording)
        recording.replay(pen)
        flat[name] = pen.glyph()
    for name, glyph in flat.items():
        glyph.recalcBounds(font["glyf"])
        font["glyf"][name] = glyph
    for name in font.getGlyphOrder():
        glyph = font["glyf"][name]
        width = font["hmtx"][name][0]
        if glyph.numberOfContours == 0:
            font["hmtx"][name] = (ADVANCE, 0)
        elif name in braille:
            redraw(font, name, Transform(ADVANCE / width, 0, 0, 1, 0, 0))
        else:
            drawn = glyph.xMax - glyph.xMin
            scale = min(1, (ADVANCE - 20) / drawn)
            x = ADVANCE / 2 - scale * (glyph.xMin + glyph.xMax) / 2
            redraw(font, name, Transform(scale, 0, 0, scale, x, MIDDLE * (1 - scale)))


def draw_corner(font):
    """U+23BF, which no free face has: a stroke down from the line above, and one to the right at the middle."""
    pen = TTGlyphPen(None)
    for left, bottom, right, top in [(265, 330, 335, ASCENT), (265, 330, ADVANCE, 400)]:
        pen.moveTo((left, bottom))
        pen.lineTo((left, top))
        pen.lineTo((right, top))
        pen.lineTo((right, bottom))
        pen.closePath()
    add(font, 0x23BF, pen.glyph())


def add(font, point, glyph):
    name = f"uni{point:04X}"
    font.setGlyphOrder([*font.getGlyphOrder(), name])
    font["glyf"][name] = glyph
    glyph.recalcBounds(font["glyf"])
    font["hmtx"][name] = (ADVANCE, glyph.xMin)
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[point] = name


def borrow(font, path, points):
    """Takes single characters from the proportional face of the same family."""
    other = subset(path, points)
    fit(other)
    for point, name in other.getBestCmap().items():
        add(font, point, other["glyf"][name])


def finish(font, family, file):
    font["hhea"].ascent, font["hhea"].descent, font["hhea"].lineGap = ASCENT, DESCENT, 0
    os2 = font["OS/2"]
    os2.sTypoAscender, os2.sTypoDescender, os2.sTypoLineGap = ASCENT, DESCENT, 0
    os2.usWinAscent, os2.usWinDescent, os2.xAvgCharWidth = ASCENT, -DESCENT, ADVANCE
    font["hhea"].advanceWidthMax = ADVANCE
    for number, text in [(1, family), (2, "Regular"), (4, family), (6, family.replace(" ", ""))]:
        font["name"].setName(text, number, 3, 1, 0x409)
    font.flavor = "woff2"
    font.save(HERE / file)
    points = sorted(font.getBestCmap())
    runs = []
    for point in points:
        if runs and point == runs[-1][1] + 1:
            runs[-1][1] = point
        else:
            runs.append([point, point])
    print(f"\n{file}: {len(points)} characters")
    print(", ".join(f"U+{low:04X}" if low == high else f"U+{low:04X}-{high:04X}" for low, high in runs))


dejavu_path, sans_path, noto_folder = sys.argv[1:]
left = wanted()
from_dejavu = left & cmap(dejavu_path)
dejavu = subset(dejavu_path, from_dejavu)
fit(dejavu)
borrow(dejavu, sans_path, BORROWED)
finish(dejavu, "Quarterdeck Symbols A", "symbols-a.woff2")
left -= from_dejavu | BORROWED

# Fontsource cuts the face by script; the largest piece has all but braille.
pieces = sorted(glob(f"{noto_folder}/*-400-normal.woff2"), key=lambda path: -len(cmap(path)))
symbols = next(path for path in pieces if "-symbols-400-" in path)
print("left for Noto:", len(left), "in the symbols piece:", len(left & cmap(symbols)), file=sys.stderr)
noto = subset(symbols, left & cmap(symbols))
fit(noto)
draw_corner(noto)
finish(noto, "Quarterdeck Symbols B", "symbols-b.woff2")
left -= cmap(symbols)
missing = [chr(point) for point in left if any(point in cmap(path) for path in pieces)]
print("only in other pieces:", "".join(missing), file=sys.stderr)
