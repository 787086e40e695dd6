"""What a reader sees gets in, what only a program sees does not; what is no document is a word of a closed list."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PageObject, PdfReader, PdfWriter

from securevec import limits
from securevec.files.parse import Parsed, Unparsable, clean, html, parse
from tests.support.documents import docx, encrypted_pdf, pdf, with_body, with_part_of_zeros

NEEDLE = "canary-9f3e"


def refused(kind: str, data: bytes, encoding: str | None = None) -> str:
    with pytest.raises(Unparsable) as raised:
        parse(kind, data, encoding)
    return raised.value.code


def test_markdown_keeps_what_it_says_and_loses_what_it_hides() -> None:
    text = f"""---
author: {NEEDLE}
---

# A *plain* title ##

Some text <!-- {NEEDLE}
over lines --> goes on, <span data-x="{NEEDLE} > {NEEDLE}">and on</span>.
<script>var x = "{NEEDLE}"</script>
| a | b |
|---|---|

`<b>code</b>` and `` a ` b <i> ``

```html
<!-- kept -->
```
<https://example.org> and 1 < 2 and x <y when z>
"""
    parsed = parse("markdown", text.encode())
    assert parsed.title == "A plain title"
    assert NEEDLE not in parsed.text
    for kept in (
        "Some text  goes on, and on.",
        "|---|---|",
        "`<b>code</b>`",
        "`` a ` b <i> ``",
        "<!-- kept -->",
        "<https://example.org>",
        "1 < 2",
    ):
        assert kept in parsed.text
    assert "plain* title" not in parsed.text


@pytest.mark.parametrize(
    ("text", "title", "rest"),
    [
        ("Title\n=====\n\ntext", "Title", "text"),
        ("no title\n\n# later", None, "no title\n\n# later"),
        ("---\nnever: closed\n\ntext", None, "---\nnever: closed\n\ntext"),
        ("+++\na=1\n+++\ntext", None, "text"),
        ("# only", "only", ""),
        ("text <!-- never closed", None, "text"),
        ("a <b never closed", None, "a <b never closed"),
        ("\ufeff# x\r\n\r\ny", "x", "y"),
    ],
)
def test_titles_and_ends_of_markdown(text: str, title: str | None, rest: str) -> None:
    parsed = parse("markdown", text.encode())
    assert (parsed.title, parsed.text) == (title, rest)


def test_html_becomes_what_a_browser_shows() -> None:
    page = f"""<!doctype html><html><head><title> The
 title </title><meta name="author" content="{NEEDLE}"><style>{NEEDLE}</style><script>{NEEDLE}</script></head>
 <body data-x="{NEEDLE}"><!-- {NEEDLE} --><h1>The title</h1><p>Hello <b>bold</b>,  you<br>there
 <img alt="{NEEDLE}" src="{NEEDLE}.png"><ul><li>one<li>two <a href="mailto:{NEEDLE}">link</a></ul>
 <table><tr><th>a<th>b<tr><td>1<td>2</table><pre>  x
    y</pre><div hidden>{NEEDLE} <p>{NEEDLE}</p></div><noscript>{NEEDLE}</noscript><template>{NEEDLE}</template>
 <svg><text>{NEEDLE}</text></svg>tail &amp; end</body></html>"""
    parsed = parse("html", page.encode())
    assert parsed.title == "The title"
    assert parsed.text == "Hello bold, you\nthere\n\none\ntwo link\n\na\tb\n1\t2\n\n  x\n    y\n\ntail & end"


@pytest.mark.parametrize(
    "style",
    [
        "display:none",
        "color:red; DISPLAY : None !important; margin:0",
        "visibility: hidden",
        "opacity:0",
        "opacity: 0.0;",
        "font-size:0px",
        "font-size:0",
    ],
)
def test_what_an_element_s_own_style_hides_is_no_text_of_a_page(style: str) -> None:
    page = f"<p>Seen.</p><div style='{style}'>{NEEDLE} <p style='display:block'>{NEEDLE}</p></div><p>Also seen.</p>"
    parsed = parse("html", page.encode())
    assert parsed.text == "Seen.\n\nAlso seen."


@pytest.mark.parametrize(
    "style",
    ["", "display:block", "opacity:0.5", "font-size:0.8em", "font-size:10px", "visibility:visible", "--display:none-x"],
)
def test_a_style_that_hides_nothing_costs_no_text(style: str) -> None:
    assert parse("html", f"<p style='{style}'>Seen.</p>".encode()).text == "Seen."


def test_html_nested_two_hundred_thousand_deep_is_read() -> None:
    parsed = parse("html", b"<div>" * 200_000 + b"deep" + b"</div>" * 200_000 + b"<p>after")
    assert parsed.text.split() == ["deep", "after"]


def test_a_pdf_is_its_pages_and_not_its_properties() -> None:
    data = pdf(["Hello there", "second line"], info={"Author": NEEDLE, "Title": NEEDLE, "Subject": NEEDLE})
    assert parse("pdf", data) == Parsed(None, "Hello there\nsecond line")


def test_a_docx_is_its_body_and_not_its_properties() -> None:
    data = docx(["First.", "Second."], heading="Heading", properties={"author": NEEDLE, "title": NEEDLE})
    assert parse("docx", data) == Parsed("Heading", "First.\n\nSecond.")


def test_a_docx_loses_deleted_and_hidden_text_and_keeps_inserted_text() -> None:
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    run = "<w:r><w:t>{}</w:t></w:r>"
    body = f"""<w:p {w}><w:r><w:t xml:space="preserve">kept </w:t></w:r>
      <w:del w:id="1"><w:r><w:delText>{NEEDLE}</w:delText></w:r></w:del>
      <w:moveFrom w:id="3">{run.format(NEEDLE)}</w:moveFrom>
      <w:ins w:id="2">{run.format("inserted")}</w:ins>
      <w:r><w:rPr><w:vanish/></w:rPr><w:t>{NEEDLE}</w:t></w:r>
      <w:r><w:instrText>HYPERLINK mailto:{NEEDLE}</w:instrText></w:r></w:p>
      <w:tbl {w}><w:tr><w:tc><w:p>{run.format("a")}</w:p><w:p>{run.format("b")}</w:p></w:tc>
        <w:tc><w:tbl><w:tr><w:tc><w:p>{run.format("nested")}</w:p></w:tc></w:tr></w:tbl><w:p/></w:tc></w:tr></w:tbl>
      <w:sdt {w}><w:sdtContent><w:p>{run.format("control")}</w:p></w:sdtContent></w:sdt>"""
    parsed = parse("docx", with_body(docx(["last"]), body))
    assert parsed.text == "kept inserted\n\na b\tnested\n\ncontrol\n\nlast"


def of_a_newer_zip(data: bytes) -> bytes:
    """An archive whose first entry asks for a version of the format that nobody has (APPNOTE.TXT 4.4.3)."""
    at = data.index(b"PK\x01\x02") + 6
    return data[:at] + b"\xff\x00" + data[at + 2 :]


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("pdf", b"", "damaged"),
        ("pdf", b"garbage", "damaged"),
        ("pdf", pdf(["x"])[:200], "damaged"),
        ("pdf", pdf([]), "empty"),
        ("pdf", encrypted_pdf(["x"], user="secret"), "password"),
        ("docx", b"PK\x03\x04garbage", "damaged"),
        ("docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
        ("docx", docx(["x"])[:-100], "damaged"),
        ("docx", docx(["x"])[:60] + b"\xff" + docx(["x"])[61:], "damaged"),
        ("docx", of_a_newer_zip(docx(["x"])), "damaged"),
        ("docx", docx([]), "empty"),
        ("docx", pdf(["x"]), "damaged"),
        ("text", b"", "nothing"),
        ("text", b" \n\t\n", "nothing"),
        ("text", b"\x89PNG\r\n\x1a\n\0\0", "binary"),
        ("text", pdf(["x"]).replace(b"\n", b"\x01\x02"), "binary"),
        ("markdown", docx(["x"]), "binary"),
        ("html", b"\0<p>x", "binary"),
        ("html", b"<script>x</script>", "nothing"),
    ],
)
def test_what_is_no_document_is_a_word_of_a_closed_list(kind: str, data: bytes, code: str) -> None:
    assert refused(kind, data) == code


def test_a_pdf_that_opens_without_a_password_is_read() -> None:
    assert parse("pdf", encrypted_pdf(["open to all"], user="")).text == "open to all"


def test_a_docx_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    bomb = with_part_of_zeros(docx(["x"]), 300 * 2**20)
    assert len(bomb) < 2**20
    assert refused("docx", bomb) == "too_large"


def test_a_text_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_TEXT_BYTES", 1000)
    for kind, data in (("text", b"x" * 1001), ("html", b"<p>" + b"x" * 1001), ("pdf", pdf(["x" * 50] * 30))):
        assert refused(kind, data) == "too_large"


def test_a_text_beyond_the_limit_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file may hold pages without end: what comes behind the limit costs nothing."""
    monkeypatch.setattr(limits, "MAX_TEXT_BYTES", 1000)
    read: list[str] = []

    def counted(kind: type[Any], method: str) -> None:
        honest = getattr(kind, method)

        def count(*given: Any, **named: Any) -> Any:
            read.append(method)
            return honest(*given, **named)

        monkeypatch.setattr(kind, method, count)

    writer = PdfWriter()
    (page,) = PdfReader(io.BytesIO(pdf(["x" * 50] * 10))).pages
    for _ in range(40):
        writer.add_page(page)
    pages = io.BytesIO()
    writer.write(pages)
    counted(PageObject, "extract_text")
    assert refused("pdf", pages.getvalue()) == "too_large"
    assert 0 < len(read) < 10
    read.clear()
    counted(html._Reader, "data")
    assert refused("html", f"<p>{'x' * 1001}</p>".encode() + b"<p>y</p>" * 1000) == "too_large"
    assert 0 < len(read) < 10


GERMAN = "Die Größe der Gebühr für März, Herr Müller, ist überraschend."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "utf-8"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-32"),
        (GERMAN, "cp1252"),
        ("café", "latin-1"),
        ("“It’s not here” – she said… café", "cp1252"),
        ("Łódź i żółw, proszę o zwrot pieniędzy za zażółcony płaszcz", "cp1250"),
        ("Возврат денег не пришёл, пожалуйста", "cp1251"),
        ("返金がまだ届いていません。電話してください", "cp932"),
    ],
)
def test_the_encoding_of_a_text_is_found(text: str, encoding: str) -> None:
    assert parse("text", text.encode(encoding)).text == text


@pytest.mark.parametrize("other", ["cp1252", "cp1250", "cp1254"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_file_of_lines_in_two_encodings_is_refused_rather_than_garbled(other: str, ends: str) -> None:
    lines = [GERMAN.encode(), GERMAN.encode(other), b"plain"]
    for order in (lines, lines[::-1]):
        assert refused("text", ends.encode().join(order)) == "mixed"
    page = b"<meta charset='windows-1252'><p>" + b"\n<p>".join(lines)
    assert refused("html", page) == "mixed"
    # Who names an encoding has been told, and decides.
    assert GERMAN in parse("text", b"\n".join(lines), other).text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Il a dit \u00abCAFÉ\u00bb.\nEt puis É. Voilà\u2026", "cp1252"),
        ("Отчёт \u00abЕС\u00bb и \u00abСША\u00bb\nНовости \u00abРБК\u00bb \u2014 вчера", "cp1251"),
        ("联通\n请打电话给我们，谢谢", "gb18030"),
    ],
)
def test_one_encoding_is_not_taken_for_two(text: str, encoding: str) -> None:
    assert parse("text", text.encode(encoding)).text == text


def test_an_encoding_that_is_named_decides_and_is_held_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse("text", "Zażółć".encode("iso8859-2"), "iso8859-2").text == "Zażółć"
    assert refused("text", b"\xff\xfe\xfd", "utf-8") == "encoding"
    assert refused("text", b"x", "no-such-encoding") == "encoding"
    assert refused("text", b"\xff", "idna") == "encoding"
    # The wrong order of bytes would be a text of other letters, in which nobody's name is recognized.
    assert refused("text", "Maria".encode("utf-16-be"), "utf-16") == "encoding"
    assert parse("text", "Maria".encode("utf-16"), "utf_16").text == "Maria"
    assert parse("html", "<meta charset='koi8-r'><p>Привет".encode("koi8-r")).text == "Привет"


@given(st.binary(max_size=400))
def test_no_bytes_make_a_text_parser_fail(data: bytes) -> None:
    for kind in ("text", "markdown", "html"):
        try:
            parsed = parse(kind, data)
        except Unparsable:
            continue
        assert parsed.title or parsed.text
        assert clean(parsed.text) == parsed.text


@given(st.text(alphabet="`<>!-ab \n#=\"'/~", max_size=200))
def test_no_markdown_makes_the_parser_fail(text: str) -> None:
    try:
        parsed = parse("markdown", text.encode())
    except Unparsable:
        return
    assert set(parsed.text) <= set(text)


@pytest.mark.parametrize(
    "text",
    ["<a " * 200_000, "<!-- " * 200_000, "`" + "".join("`" * size + " " for size in range(2000)), '<a "' * 50_000],
)
def test_markdown_made_to_take_long_is_read_in_linear_time(text: str) -> None:
    """No clock: quadratic time would not end."""
    with contextlib.suppress(Unparsable):
        parse("markdown", text.encode())
