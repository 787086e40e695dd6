"""A line of the log as a syslog message: RFC 5424 around the OCSF document, which is the whole of MSG.

``<PRI>1 TIME - securevec WRITER ACTION [origin software="securevec" swVersion="..."] {...}``

- PRI: facility 13, log audit, and the severity of the record: 6 informational, 5 notice, 4 warning, 3 error.
- HOSTNAME is ``-``: a record names no machine, and a copy of a log may be read on another. The transport adds it.
- PROCID is the writer: a new one is a new process, which is what RFC 5424 6.2.6 has it for. MSGID is the action.
- Structured data is ``origin`` alone (7.2), which IANA knows: an element of one's own takes an enterprise number.
- MSG is ASCII without control characters, so it needs no byte order mark (6.4), and one message is a line (RFC 6587,
  3.4.2).

A receiver must take 480 bytes and should take 2,048 (6.1). Records of many rows are longer: set what it takes at most.
"""

from __future__ import annotations

import re
from typing import Final

from securevec.audit.export.parts import moment, number, part, printable, record_in, text

_AUDIT: Final = 13
_SEVERITY: Final = {1: 6, 2: 5, 3: 4, 4: 3, 5: 2, 6: 1}
"""Of OCSF: informational, low, medium, high, critical, fatal."""
_UNKNOWN: Final = 5

_NOT_PLAIN: Final = re.compile(r"[^ -~]")
_QUOTED: Final = re.compile(r'(["\\\]])')
_NIL: Final = "-"


def to_syslog(raw: bytes) -> str:
    """The message of a line, without a line end. ASCII."""
    record = record_in(raw)
    metadata = part(record, "metadata")
    level = _SEVERITY.get(number(record.get("severity_id"), least=0, most=99, otherwise=0), _UNKNOWN)
    when = moment(record)
    stamp = when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z" if when is not None else _NIL
    writer = printable(text(metadata.get("log_name")).rpartition("/")[2], limit=128) or _NIL
    action = printable(text(metadata.get("event_code")), limit=32) or _NIL
    version = printable(text(part(metadata, "product").get("version")), limit=32)
    origin = (
        '[origin software="securevec"' + (f' swVersion="{_QUOTED.sub(_escaped, version)}"' if version else "") + "]"
    )
    return f"<{_AUDIT * 8 + level}>1 {stamp} - securevec {writer} {action} {origin} {_plain(raw)}"


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[1]}"


def _plain(raw: bytes) -> str:
    """The document on one line of printable ASCII: others as escapes of JSON strings (RFC 8259, section 7)."""
    return _NOT_PLAIN.sub(_as_json, raw.decode("utf-8", "replace"))


def _as_json(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code in (9, 10, 13):
        # Between the values of a document that somebody laid out. Inside a string JSON does not allow them.
        return " "
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
