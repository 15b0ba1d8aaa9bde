"""Make the two font files of this folder from their sources: `python make.py KAI.ttf BOLD.ttf`.

KAI.ttf is LXGW WenKai Regular 1.250, BOLD.ttf is Noto Serif SC Bold 2.003, both under the SIL Open Font
License 1.1. The results are Modified Versions under the same licence; the first has Reserved Font Names
("LXGW", "霞鹜"), so both get names of their own (OFL 1.1, condition 3).

Kept: GB 2312 (6,763 characters), rare characters common in personal names, Latin, punctuation, numbering signs.
The title font has no rare characters of names. What is left out comes from the next font of the chain in
`fonts.toml`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = Path(__file__).parent
LICENCE = "This Font Software is licensed under the SIL Open Font License, Version 1.1."
LATIN = {chr(code) for code in range(0x20, 0x7F)} | set("·×÷°±²³㎡‘’“”—…–‰℃")
RARE_IN_NAMES = set(
    "㛃㼆䶮喆垚堃崚崟弢彧忞惇愔慜扆掞旸旻昇昉晞晢晳曈梽楙橦沄浐浥淏湉湜溦滪炆炤烜焜燊燚牁犇犨玓玘玙玚玠玥珅珝珣珪珺琇琎琤琭琯瑀瑄瑢瑧瑱璆璘璟璠璿畯疌盉祎禔禛竑羴翀翛翯芃苪虓衎袆詝谞赑赟跂鄠锜锳镕镠雱韡頔颋颙飏骉骎骕骦鹔龑龢鿍"
)


def gb2312(first: int, last: int) -> set[str]:
    """The characters of rows `first` to `last` of GB/T 2312-1980."""
    codes = (bytes([row + 0xA0, cell + 0xA0]) for row in range(first, last + 1) for cell in range(1, 95))
    return {text for code in codes for text in [code.decode("gb2312", errors="ignore")] if len(text) == 1}


def make(source: Path, target: Path, family: str, kept: set[str], notice: str) -> None:
    """Write `source` cut down to `kept` under the name `family` to `target`."""
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True, glyph_names=False)
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(sorted(kept)))
    cutter.subset(font)
    _rename(font, family, notice)
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False
    font.save(target)


def _rename(font: TTFont, family: str, notice: str) -> None:
    table = font["name"]
    table.names = []
    names = {0: notice, 1: family, 2: "Regular", 3: f"{family} 1.0", 4: family, 5: "Version 1.000"}
    names |= {6: family.replace(" ", "") + "-Regular", 13: LICENCE, 14: "https://openfontlicense.org"}
    for identifier, text in names.items():
        table.setName(text, identifier, 3, 1, 0x409)
    font["OS/2"].usWeightClass = 400  # each file is one family of one weight: typst asks for no other
    font["OS/2"].fsSelection = 0x40
    font["head"].macStyle = 0


def main() -> None:
    """Make both files beside this script."""
    kai, bold = (Path(argument) for argument in sys.argv[1:3])
    wide = LATIN | gb2312(1, 3) | gb2312(16, 87) | RARE_IN_NAMES
    make(
        kai,
        HERE / "CertlibKai.ttf",
        "Certlib Kai",
        wide,
        "Copyright 2021-2023 LXGW. Copyright 2020 The Klee Project Authors. Modified Version: subset and renamed.",
    )
    make(
        bold,
        HERE / "CertlibSongTitle.ttf",
        "Certlib Song Title",
        LATIN | gb2312(1, 1) | gb2312(16, 87),
        "(c) 2017-2024 Adobe. Modified Version: subset and renamed.",
    )


if __name__ == "__main__":
    main()
