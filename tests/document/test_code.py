"""The picture of the QR code."""

import random
import re

import pytest
import qrcode
import zxingcpp
from PIL import Image, ImageDraw
from qrcode.util import MODE_8BIT_BYTE, MODE_NUMBER, QRData

from certlib.document.code import DOT, ENCODERS, code_matrix, draw_code, qr_svg
from certlib.errors import RenderError
from certlib.formats.digits import to_digits

PREFIX = "https://zwfw.example.gov.cn/v#"
LEVELS = {"M": qrcode.constants.ERROR_CORRECT_M, "Q": qrcode.constants.ERROR_CORRECT_Q}


def code_text(digits: int) -> str:
    """A code's text with so many digits."""
    return PREFIX + "1" + "".join(random.Random(digits).choices("0123456789", k=digits))


def other_encoder(text: str, correction: str) -> qrcode.QRCode:
    """The same text by another implementation, its two segments given by hand."""
    code = qrcode.QRCode(error_correction=LEVELS[correction], border=0)
    code.add_data(QRData(text[: len(PREFIX)].encode(), mode=MODE_8BIT_BYTE))
    code.add_data(QRData(text[len(PREFIX) :].encode(), mode=MODE_NUMBER))
    code.make(fit=True)
    return code


def read(matrix: list[list[bool]]) -> str:
    """What a reader makes of the modules, four pixels each with a quiet zone."""
    side = 4 * (len(matrix) + 8)
    picture = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(picture)
    for y, row in enumerate(matrix, 4):
        for x, dark in enumerate(row, 4):
            if dark:
                draw.rectangle((4 * x, 4 * y, 4 * x + 3, 4 * y + 3), fill=0)
    return zxingcpp.read_barcodes(picture)[0].text


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("correction", ["M", "Q"])
@pytest.mark.parametrize("digits", [290, 313, 340, 366, 400])
def test_the_matrix_is_as_dense_as_the_best_two_segments(digits: int, correction: str, encoder: str) -> None:
    """Address in byte mode and digits in numeric mode: the same version as an encoder told the segments, same text."""
    text = code_text(digits)
    matrix = code_matrix(text, correction=correction, encoder=encoder)
    assert (len(matrix) - 17) // 4 == other_encoder(text, correction).version
    assert read(matrix) == text


@pytest.mark.parametrize("text", ["A", "https://zwfw.example.gov.cn/", "证照", PREFIX + "2" * 40, "7" * 30], ids=repr)
@pytest.mark.parametrize("version", [None, 9])
def test_the_encoders_make_symbols_of_one_version_that_decode_to_one_text(text: str, version: int | None) -> None:
    """Whatever the text; the faster one may choose another mask, which a reader undoes."""
    one, other = (code_matrix(text, version=version, encoder=encoder) for encoder in ("qrcode", "zxing"))
    assert len(one) == len(other)
    assert read(one) == read(other) == text


def test_where_the_encoders_choose_the_same_mask_every_module_agrees() -> None:
    """Two implementations of the standard draw the same symbol."""
    agreeing = 0
    for digits in range(300, 312):
        one, other = (code_matrix(code_text(digits), encoder=encoder) for encoder in ("qrcode", "zxing"))
        same = sum(a == b for mine, theirs in zip(one, other, strict=True) for a, b in zip(mine, theirs, strict=True))
        if one == other:
            agreeing += 1
        else:  # another mask: about half of the modules differ, never a few
            assert same < 0.9 * len(one) ** 2
    assert agreeing


SQUARES = (31.0, 33.1, 35.1, 37.1, 39.2)


@pytest.mark.parametrize(
    ("size", "version", "correction"),
    [(142, 11, "Q"), (143, 12, "Q"), (168, 12, "Q"), (205, 13, "Q"), (222, 14, "Q"), (255, 15, "Q"), (294, 13, "M")],
)
def test_a_longer_message_gets_a_larger_square_before_it_loses_error_correction(
    size: int, version: int, correction: str
) -> None:
    """The sizes of docs/payload.md, for a host of twenty characters: Q in modules of 6 dots while a square holds it."""
    text = "https://zwfw.ganzhou.example/v#1" + to_digits(b"\xff" * size)
    picture = draw_code(text, squares=SQUARES, version=9)
    assert (picture.version, picture.correction) == (version, correction)
    assert picture.module == pytest.approx(6 * DOT)
    fitting = next(side for side in SQUARES if side >= picture.side)
    assert picture.side > fitting - 4 * picture.module or correction == "M"


def test_every_message_is_as_robust_in_several_squares_as_in_the_first_alone() -> None:
    """Whatever its length: no narrower modules, no lower level at the same modules."""
    for digits in range(100, 1000, 23):
        text = code_text(digits)
        one, several = (draw_code(text, squares=squares, version=9) for squares in (SQUARES[:1], SQUARES))
        assert (several.module, several.correction) >= (one.module, one.correction)  # "Q" sorts after "M"


def test_room_is_given_to_error_correction_before_it_is_left_empty() -> None:
    """In 31 mm a short text gets level Q with modules as wide as at M; a longer one stays at M; in 27 mm both do."""
    short, long = code_text(313), code_text(440)
    assert [(p.version, p.correction) for p in (draw_code(short, squares=(s,), version=9) for s in (27.0, 31.0))] == [
        (9, "M"),
        (11, "Q"),
    ]
    assert draw_code(short, squares=(31.0,), version=9).module == pytest.approx(6 * DOT)
    picture = draw_code(long, squares=(31.0,), version=9)
    assert (picture.correction, picture.module) == ("M", pytest.approx(6 * DOT))


def test_a_module_is_a_whole_number_of_printer_dots() -> None:
    """Version 9 in 27 mm gets modules of 6 dots at 300 dpi, in 25 mm of 5."""
    wide, narrow = (draw_code(code_text(313), squares=(size,), version=9) for size in (27.0, 25.0))
    assert (wide.version, wide.module, wide.side) == (9, pytest.approx(6 * DOT), pytest.approx(26.924))
    assert (narrow.version, narrow.module) == (9, pytest.approx(5 * DOT))


def test_a_short_text_keeps_the_version_of_the_face_and_a_long_one_gets_the_next() -> None:
    """The least version is the face's, so that all codes of a face look alike; more text makes more modules."""
    assert draw_code(PREFIX + "1", squares=(27.0,), version=9).version == 9
    assert draw_code(code_text(400), squares=(27.0,), version=9).version == 10


def test_error_correction_is_never_lowered_to_keep_a_version() -> None:
    """A text just too long for version 9-M becomes 10-M, not 9-L: the level is in the symbol's format bits."""
    text = code_text(400)
    assert code_matrix(text, correction="M", version=9) == code_matrix(text, correction="M")
    assert len(code_matrix(text, correction="L")) < len(code_matrix(text, correction="M"))


def test_what_cannot_be_printed_legibly_is_refused() -> None:
    """Too many digits for the space, or for any code: an error, not a smudge."""
    with pytest.raises(RenderError, match="印不清"):
        draw_code(code_text(2000), squares=(27.0,))
    with pytest.raises(RenderError, match="过长"):
        draw_code(code_text(9000), squares=(27.0,))


def test_the_svg_is_one_path_without_quiet_zone() -> None:
    """The picture is as wide as its modules and holds one filled path."""
    svg = qr_svg(PREFIX + "1", 0.5, version=9)
    assert svg.count("<path") == 1
    assert re.search(r'width="26\.5000mm".*viewBox="0 0 53 53"', svg)
