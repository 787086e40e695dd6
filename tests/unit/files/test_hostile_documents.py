"""A hostile document hangs, crashes or exhausts nothing but its own parser, and the next document finds a new one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from securevec import limits
from securevec.children import process as children
from securevec.children.process import Child
from securevec.errors import FileCorrupt, LimitExceeded, MissingExtra, ParserFailed, SecurevecError, SourceError
from securevec.files import pool as pools
from securevec.files.pool import ParserPool
from tests.support.documents import docx, pdf, with_body


@cache
def slow() -> bytes:
    """A document over which an honest reader takes minutes."""
    return pdf([], content=b"BT /F1 12 Tf 50 750 Td\n" + b"(a) Tj 1 0 0 1 1 1 cm\n" * 1_500_000 + b"ET")


@pytest.fixture
def pool() -> Iterator[ParserPool]:
    with ParserPool(1, seconds=20) as pool:
        yield pool


def child_of(pool: ParserPool) -> Child:
    (child,) = pool._alive
    return child


def answering(frame: bytes) -> Callable[..., bytes]:
    """In the place of :meth:`Child.ask`."""

    def ask(self: Child, request: bytes, *, seconds: float) -> bytes:
        return frame

    return ask


def wait_for(condition: Callable[[], object]) -> None:
    """Up to a minute for something that is going to happen."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def test_a_document_that_takes_too_long_is_ended_and_the_next_one_is_read() -> None:
    with ParserPool(1, seconds=2) as pool:
        with pytest.raises(ParserFailed, match="after 2 seconds"):
            pool.parse("pdf", slow())
        assert pool._alive == set()
        assert pool.parse("text", b"next").text == "next"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_parser_that_dies_is_its_document_s_error_and_the_next_one_is_read(pool: ParserPool, number: int) -> None:
    assert pool.parse("text", b"first").text == "first"
    victim = child_of(pool)
    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(pool.parse, "pdf", slow())
        wait_for(lambda: Path(f"/proc/{victim.pid}/stat").read_text().split()[2] == "R")
        os.kill(victim.pid, number)
        with pytest.raises(ParserFailed, match="died"):
            working.result()
    assert pool.parse("text", b"next").text == "next"
    assert child_of(pool).pid != victim.pid


def test_a_document_that_wants_more_memory_than_there_is_fails_alone() -> None:
    zeros = zlib.compress(bytes(400 * 2**20), 1)
    bomb = pdf([]).replace(b"<< /Length", b"<< /Filter /FlateDecode /Length", 1)
    start = bomb.index(b"stream\n") + 7
    end = bomb.index(b"\nendstream")
    bomb = bomb[:start] + zeros + bomb[end:]
    with ParserPool(1, seconds=60, memory=400 * 2**20) as pool:
        with pytest.raises(SecurevecError) as raised:
            pool.parse("pdf", bomb)
        assert isinstance(raised.value, ParserFailed | FileCorrupt | LimitExceeded)
        assert pool.parse("text", b"next").text == "next"


def test_xml_entities_of_a_docx_are_not_expanded(pool: ParserPool) -> None:
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx(["x"]))) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == "word/document.xml":
                content = content.replace(
                    b"<w:document", f'<!DOCTYPE d [<!ENTITY l0 "ha">{laughs}]><w:document'.encode(), 1
                ).replace(b"<w:t>x", b"<w:t>&l9;x", 1)
            new.writestr(part.filename, content)
    with contextlib.suppress(FileCorrupt, ParserFailed):
        assert len(pool.parse("docx", out.getvalue()).text) < 1000
    assert pool.parse("text", b"next").text == "next"


def test_a_file_of_the_machine_named_in_a_docx_is_not_read(pool: ParserPool, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx(["x"]))) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == "word/document.xml":
                declared = f'<!DOCTYPE d [<!ENTITY f SYSTEM "file://{tmp_path}/secret">]><w:document'.encode()
                content = content.replace(b"<w:document", declared, 1).replace(b"<w:t>x", b"<w:t>&f;x", 1)
            new.writestr(part.filename, content)
    with contextlib.suppress(FileCorrupt, ParserFailed):
        assert "canary" not in pool.parse("docx", out.getvalue()).text


def test_tables_nested_thousands_deep_in_a_docx_fail_alone_or_are_read(pool: ParserPool) -> None:
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    deep = (
        f"<w:tbl {w}><w:tr><w:tc>" * 3000
        + f"<w:p {w}><w:r><w:t>deep</w:t></w:r></w:p>"
        + "</w:tc></w:tr></w:tbl>" * 3000
    )
    with contextlib.suppress(FileCorrupt, ParserFailed):
        assert "deep" in pool.parse("docx", with_body(docx(["x"]), deep)).text
    assert pool.parse("text", b"next").text == "next"


@pytest.mark.soak
def test_sixty_megabytes_of_html_are_read_or_refused_in_time(pool: ParserPool) -> None:
    page = b"<p>" + b"<b>word</b> &amp; <!-- x -->" * 2_000_000
    assert len(page) < limits.MAX_FILE_BYTES
    with pytest.raises((LimitExceeded, ParserFailed)):
        pool.parse("html", page)
    assert pool.parse("text", b"next").text == "next"


def test_a_parser_has_no_environment_no_files_and_no_powers_of_ours(
    pool: ParserPool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECUREVEC_PASSPHRASE", "canary")
    held = (tmp_path / "held").open("w")
    os.set_inheritable(held.fileno(), True)
    pool.parse("text", b"x")
    place = Path(f"/proc/{child_of(pool).pid}")
    assert b"canary" not in (place / "environ").read_bytes()
    assert b"SECUREVEC" not in (place / "environ").read_bytes()
    opened = {os.readlink(each) for each in (place / "fd").iterdir()}
    assert str(tmp_path / "held") not in opened
    assert all(each.startswith(("pipe:", "/dev/null")) for each in opened), opened
    bounds = (place / "limits").read_text()
    for line in (
        "Max core file size        0",
        "Max file size             0",
        f"Max address space         {children.MEMORY}",
    ):
        assert line in bounds
    assert os.readlink(place / "cwd") == "/"
    held.close()


def test_a_parser_whose_parent_is_killed_ends_too(tmp_path: Path) -> None:
    import subprocess

    code = (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1])\n"
        "from securevec.files.pool import ParserPool\n"
        "pool = ParserPool(1)\n"
        "pool.parse('text', b'x')\n"
        "(child,) = pool._alive\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, json.dumps(sys.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()

    def ended() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    wait_for(ended)


def test_closing_the_pool_ends_a_parser_at_work(pool: ParserPool) -> None:
    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(pool.parse, "pdf", slow())
        wait_for(lambda: pool._alive)
        pid = child_of(pool).pid
        pool.close()
        with pytest.raises(ParserFailed):
            working.result()
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"text":3}',
        b'{"title":null,"text":""}',
        b'{"refused":"other"}',
        b'{"title":1,"text":"x"}',
    ],
)
def test_a_parser_that_was_taken_over_can_say_nothing_but_a_text(
    pool: ParserPool, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(Child, "ask", answering(answer))
    with pytest.raises(ParserFailed):
        pool.parse("text", b"x")


def test_an_answer_that_never_ends_is_not_waited_for(pool: ParserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_MAX_FRAME", 100)
    with pytest.raises(ParserFailed):
        pool.parse("text", b"x" * 1000)


def test_a_parser_that_is_not_installed_names_the_pip_line(pool: ParserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Child, "ask", answering(b'{"refused":"missing"}'))
    with pytest.raises(MissingExtra, match=r"pip install 'securevec\[files\]'"):
        pool.parse("pdf", b"x")


def test_no_refusal_has_a_word_of_the_document(pool: ParserPool) -> None:
    for kind, data in (("pdf", b"%PDF-canary"), ("docx", b"PK\x03\x04canary"), ("text", b"canary\0")):
        with pytest.raises(FileCorrupt) as raised:
            pool.parse(kind, data)  # type: ignore[arg-type]  # kinds of pages
        error: BaseException | None = raised.value
        while error is not None:
            assert "canary" not in f"{error!r} {error}"
            error = error.__cause__ or error.__context__


def test_as_many_parsers_work_at_once_as_were_asked_for() -> None:
    with ParserPool(3, seconds=60) as pool, ThreadPoolExecutor(6) as threads:
        gate = threading.Barrier(3)

        def number_of(number: int) -> str:
            return pool.parse("text", b"%d" % number).text

        real = Child.ask

        def together(self: Child, request: bytes, *, seconds: float) -> bytes:
            gate.wait(60)
            return real(self, request, seconds=seconds)

        Child.ask = together  # type: ignore[method-assign]  # put back below
        try:
            texts = list(threads.map(number_of, range(6)))
        finally:
            Child.ask = real  # type: ignore[method-assign]  # as it was
        assert texts == [str(number) for number in range(6)]
        assert len(pool._alive) == 3


def test_every_word_a_parser_may_refuse_with_is_an_error_of_a_file() -> None:
    from typing import get_args

    from securevec.files.parse import Code

    assert set(get_args(Code)) == set(pools.REFUSALS)
    for made in pools.REFUSALS.values():
        error: Any = made()
        assert isinstance(error, SourceError | LimitExceeded | MissingExtra)
