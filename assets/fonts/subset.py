"""Makes the four font files beside it from their originals; README.md says where those are from.

    pip install fonttools brotli
    python subset.py Inter_400Regular.ttf Inter_600SemiBold.ttf \
        STIXTwoText_400Regular_Italic.ttf STIXTwoText_400Regular.ttf \
        noto-sans-math-latin-400-normal.woff2

What it does: drops the glyphs that an interface does not need, drops hinting and all OpenType
features but those that compose and place glyphs (so that the window, which shapes simply, and the
exporter, which shapes fully, write the same), makes Inter's tabular digits its only digits, and
copies the mathematical signs that a font lacks from Noto Sans Math.
"""

import sys
from pathlib import Path

from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

RANGES = [
    (0x0020, 0x007E),  # Basic Latin
    (0x00A0, 0x00FF),  # Latin-1
    (0x0100, 0x017F),  # Latin Extended-A
    (0x0370, 0x03FF),  # Greek
    (0x1D62, 0x1D6A),  # subscript letters
    (0x2000, 0x206F),  # general punctuation
    (0x2070, 0x209F),  # superscripts and subscripts
    (0x02B0, 0x02B8),  # superscript letters
    (0x20AC, 0x20AC),
    (0x2190, 0x21FF),  # arrows
    (0x2200, 0x22FF),  # mathematical operators
    (0x2303, 0x2303),  # control key
    (0x2318, 0x2318),  # command key
    (0x25A0, 0x25FF),  # geometric shapes
    (0x2713, 0x2717),  # check marks
    (0x27E8, 0x27E9),  # angle brackets
]
# Copied from Noto Sans Math where the font has none of its own.
GRAFTED = "‖∥∠∇∈∉∂√∑∏∫−⋅∘≤≥≪≫≠≈≡∝∞⟨⟩←↑→↓↔↦⇒▲▼▶◀●○■□◆◇★ℝ𝔼"
# Upright, formulas need function names, digits, brackets and signs.
UPRIGHT_RANGES = [(0x0020, 0x007E), (0x00A0, 0x00FF), (0x0391, 0x03C9), (0x2016, 0x2016)]
KEPT_FEATURES = ["ccmp", "mark", "mkmk", "kern"]


def subset(font, codepoints):
    options = Options()
    options.hinting = False
    options.layout_features = KEPT_FEATURES
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 9, 11, 13, 14, 16, 17]
    options.notdef_outline = True
    options.glyph_names = False
    options.drop_tables += ["DSIG", "STAT", "MVAR", "HVAR", "meta"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=codepoints)
    subsetter.subset(font)


def use_tabular_digits(font):
    """Points the characters 0 to 9 at the glyphs that the feature `tnum` would choose."""
    gsub = font["GSUB"].table
    chosen = {}
    for record in gsub.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for index in record.Feature.LookupListIndex:
                for table in gsub.LookupList.Lookup[index].SubTable:
                    chosen.update(getattr(table, "ExtSubTable", table).mapping)
    digits = {c: chosen[font.getBestCmap()[c]] for c in range(0x30, 0x3A)}
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap.update(digits)
    cmap = font.getBestCmap()
    assert len({font["hmtx"][cmap[c]][0] for c in range(0x30, 0x3A)}) == 1


def graft(font, donor):
    scale = font["head"].unitsPerEm / donor["head"].unitsPerEm
    have, source, glyphs = font.getBestCmap(), donor.getBestCmap(), donor.getGlyphSet()
    for character in GRAFTED:
        codepoint = ord(character)
        if codepoint in have or codepoint not in source:
            continue
        name = f"uni{codepoint:04X}"
        pen = TTGlyphPen(None)
        outline = DecomposingRecordingPen(glyphs)
        glyphs[source[codepoint]].draw(outline)
        outline.replay(TransformPen(pen, (scale, 0, 0, scale, 0, 0)))
        glyph = pen.glyph()
        font.setGlyphOrder(font.getGlyphOrder() + [name])
        font["glyf"].glyphs[name] = glyph
        glyph.coordinates.toInt()
        glyph.recalcBounds(font["glyf"])
        width = round(donor["hmtx"][source[codepoint]][0] * scale)
        font["hmtx"][name] = (width, getattr(glyph, "xMin", 0))
        for table in font["cmap"].tables:
            if table.isUnicode() and (codepoint <= 0xFFFF or table.format == 12):
                table.cmap[codepoint] = name


def characters(ranges):
    return {c for first, last in ranges for c in range(first, last + 1)}


def main(regular, semibold, italic, upright, math):
    here = Path(__file__).parent
    for source, target, ranges in [
        (regular, "Inter-Regular.ttf", RANGES),
        (semibold, "Inter-SemiBold.ttf", RANGES),
        (italic, "STIXTwoText-Italic.ttf", RANGES),
        (upright, "STIXTwoText-Regular.ttf", UPRIGHT_RANGES),
    ]:
        font = TTFont(source, recalcTimestamp=False)
        if target.startswith("Inter"):
            use_tabular_digits(font)
        graft(font, TTFont(math))
        subset(font, characters(ranges) | {ord(c) for c in GRAFTED})
        font.save(here / target)
        print(target, len(font.getBestCmap()), "characters")


if __name__ == "__main__":
    main(*sys.argv[1:])
