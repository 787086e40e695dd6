"""A record in the words of a collector: whatever stands in the log, one line comes out, and it is taken apart again."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from securevec.audit import FORMATS, request_id
from securevec.audit.export import Format, to_cef, to_syslog
from tests.unit.audit.logkit import ACTOR, COLLECTION, LOG_ID, TENANT, Log, event

SYSLOG: Final = re.compile(
    r"<(?P<pri>\d{1,3})>1 (?P<time>-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?P<host>-) securevec "
    r'(?P<writer>[!-~]{1,128}) (?P<action>[!-~]{1,32}) \[origin software="securevec"'
    r'(?: swVersion="(?P<version>(?:[^"\\\]]|\\["\\\]]){1,64})")?\] (?P<message>[ -~]*)'
)
"""The grammar of RFC 5424, 6, with what this exporter leaves open in it."""

HOSTILE: Final = [
    "\n",
    "\r\n",
    "|",
    "\\",
    "=",
    "\\|",
    "a=b",
    "]",
    '"',
    "\\n",
    " cs1=forged",
    "é",
    "\U0001f4a3",
    "\u2028",
]

texts = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(HOSTILE), max_size=8).map("".join))
scalars = st.one_of(texts, st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False))
mappings = st.dictionaries(texts, scalars, max_size=4)
anything = st.one_of(scalars, mappings, st.lists(scalars, max_size=4))


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """The shape of a record, with anything in the places that the exporters read."""
    return {
        "time": draw(anything),
        "severity_id": draw(anything),
        "class_uid": draw(anything),
        "duration": draw(anything),
        "actor": draw(st.one_of(anything, st.fixed_dictionaries({"user": st.fixed_dictionaries({"uid": anything})}))),
        "policy": {"uid": draw(anything)},
        "metadata": {
            "uid": draw(anything),
            "log_name": draw(anything),
            "event_code": draw(anything),
            "tenant_uid": draw(anything),
            "product": draw(st.one_of(anything, st.fixed_dictionaries({"version": anything}))),
        },
        "unmapped": {
            "securevec": {
                name: draw(anything)
                for name in ("outcome", "phase", "error", "collection", "request_id", "counts", "detail", "records")
            }
        },
    }


def read_cef(line: str) -> tuple[list[str], dict[str, str]]:
    """Seven fields of the header and the extension, read as ArcSight's standard says a collector reads them."""
    header: list[str] = []
    at = 0
    while len(header) < 7:
        field = re.compile(r"((?:[^|\\]|\\[|\\])*)\|").match(line, at)
        assert field is not None, line
        header.append(re.sub(r"\\([|\\])", r"\1", field[1]))
        at = field.end()
    rest = line[at:]
    values: dict[str, str] = {}
    keys = list(re.finditer(r"(?:^| )([A-Za-z0-9]+)=", rest))
    for number, key in enumerate(keys):
        end = keys[number + 1].start() if number + 1 < len(keys) else len(rest)
        raw = rest[key.end() : end]
        assert re.fullmatch(r"(?:[^=\\]|\\[=\\nr])*", raw), raw
        assert key[1] not in values, "a key was forged"
        values[key[1]] = re.sub(r"\\([=\\nr])", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), raw)
    return header, values


def logged(tmp_path: Path, **changes: Any) -> bytes:
    log = Log(tmp_path)
    with log.open() as audit:
        audit.record(event(**changes))
    return log.lines()[0].rstrip(b"\n")


def test_a_syslog_message_holds_the_whole_document(tmp_path: Path) -> None:
    raw = logged(tmp_path, action="tenant.delete", outcome="denied")
    found = SYSLOG.fullmatch(to_syslog(raw))
    assert found is not None
    record = json.loads(raw)
    assert found["message"].encode() == raw
    assert int(found["pri"]) == 13 * 8 + 4, "log audit, a warning"
    assert found["action"] == "tenant.delete"
    assert record["metadata"]["log_name"].endswith("/" + found["writer"])
    assert datetime.fromisoformat(found["time"]).timestamp() * 1000 == pytest.approx(record["time"])


def test_a_cef_event_names_who_what_where_and_how_it_ended(tmp_path: Path) -> None:
    job = request_id()
    raw = logged(tmp_path, action="delete", phase="result", outcome="failed", error="BackendError", job_id=job)
    record = json.loads(raw)
    header, values = read_cef(to_cef(raw))
    version = record["metadata"]["product"]["version"]
    assert header == ["CEF:0", "securevec", "securevec", version, "delete", "delete failed (result)", "5"]
    assert values.pop("rt") == str(record["time"])
    assert values.pop("externalId") == record["metadata"]["uid"]
    assert values.pop("deviceExternalId").startswith(f"audit/{LOG_ID}/w-")
    assert values == {
        "cat": "Datastore Activity",
        "act": "delete",
        "outcome": "failed",
        "reason": "BackendError",
        "suid": ACTOR,
        "cs1Label": "tenant",
        "cs1": TENANT,
        "cs2Label": "collection",
        "cs2": COLLECTION,
        "cs3Label": "request",
        "cs3": record["unmapped"]["securevec"]["request_id"],
        "cs4Label": "rule",
        "cs4": "role-reader",
        "cs5Label": "counts",
        "cs5": "hits:5 violations:0 EMAIL:1",
        "cs6Label": "detail",
        "cs6": "backend:memory k:5",
        "flexString1Label": "job",
        "flexString1": job,
        "cn1Label": "duration in ms",
        "cn1": "3",
    }


@given(record=records())
def test_hostile_values_stay_one_syslog_message_and_the_document_in_it_is_the_same(record: dict[str, Any]) -> None:
    raw = orjson.dumps(record)
    line = to_syslog(raw)
    found = SYSLOG.fullmatch(line)
    assert found is not None, line
    assert 13 * 8 <= int(found["pri"]) <= 13 * 8 + 7
    assert orjson.loads(found["message"]) == orjson.loads(raw)


@given(record=records())
def test_hostile_values_stay_one_cef_event_and_forge_no_field(record: dict[str, Any]) -> None:
    line = to_cef(orjson.dumps(record))
    assert len(line.splitlines()) == 1
    header, values = read_cef(line)
    assert header[:3] == ["CEF:0", "securevec", "securevec"]
    assert 0 <= int(header[6]) <= 10
    assert set(values) <= {
        *("rt", "externalId", "deviceExternalId", "cat", "act", "outcome", "reason", "suid"),
        *(f"cs{n}{label}" for n in range(1, 7) for label in ("", "Label")),
        *(f"{name}{label}" for name in ("cn1", "cn2", "flexString1") for label in ("", "Label")),
    }
    assert all(len(value) <= 4000 for value in values.values())
    collection = record["unmapped"]["securevec"]["collection"]
    if isinstance(collection, str) and collection.isprintable() and collection.strip(" "):
        assert values["cs2"] == collection.strip(" ")


@given(raw=st.binary(max_size=80))
@pytest.mark.parametrize("form", FORMATS)
def test_a_line_that_is_no_record_is_one_line_all_the_same(form: Format, raw: bytes) -> None:
    line = FORMATS[form](raw.replace(b"\n", b""))
    assert "\n" not in line
    line.encode()


def test_a_line_as_it_stands_is_the_same_bytes(tmp_path: Path) -> None:
    raw = logged(tmp_path)
    assert FORMATS["json"](raw).encode() == raw


def test_a_record_of_many_rows_is_counted_in_cef_and_whole_in_syslog(tmp_path: Path) -> None:
    refs = tuple(f"hmac-sha256:{TENANT}:{number:032x}" for number in range(1000))
    raw = logged(tmp_path, record_refs=refs)
    assert read_cef(to_cef(raw))[1]["cn2"] == "1000"
    assert to_syslog(raw).count(f"{999:032x}") == 1


@pytest.mark.parametrize("version", ['0.1"]', "0.1\\", '"] {"forged":1}', "]" * 40])
def test_no_version_ends_the_structured_data_of_a_message(version: str) -> None:
    raw = orjson.dumps({"metadata": {"product": {"version": version}}})
    found = SYSLOG.fullmatch(to_syslog(raw))
    assert found is not None
    assert found["message"].encode() == raw
    assert re.sub(r"\\(.)", r"\1", found["version"]) == version[:32].replace(" ", "?")
