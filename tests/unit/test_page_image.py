"""A page of a PDF as a picture, and files that are none."""

from fpdf import FPDF

from rag.ingestion.page_image import page_image


def pdf(size):
    made = FPDF(format=size)
    made.set_font("Helvetica")
    made.add_page()
    made.write(8, "A page.")
    return bytes(made.output())


def test_a_page_is_drawn_and_one_that_is_not_there_is_not():
    content = pdf("a4")
    picture = page_image(content, 0)
    assert picture is not None
    assert int.from_bytes(picture[16:20]) in (1400, 1401)
    assert page_image(content, 1) is None


def test_a_page_as_large_as_a_house_makes_a_picture_of_common_size():
    picture = page_image(pdf((4000, 5000)), 0)
    assert picture is not None
    assert int.from_bytes(picture[16:20]) * int.from_bytes(picture[20:24]) < 4_100_000


def test_a_damaged_file_is_not_drawn():
    assert page_image(pdf("a4")[:300], 0) is None
