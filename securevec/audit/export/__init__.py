"""A line of the log in the words of a collector: as it stands (OCSF), in a syslog message (RFC 5424), or as CEF.

Pure: a line in, a line out. The log may have been written to by another hand before it is read, so nothing in a line is
believed to be short, printable or of its type; whatever it holds, one line comes out, and it can be taken apart again.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal

from securevec.audit.export.cef import to_cef
from securevec.audit.export.syslog import to_syslog

Format = Literal["json", "syslog", "cef"]


def _as_it_stands(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


FORMATS: Final[Mapping[Format, Callable[[bytes], str]]] = {
    "json": _as_it_stands,
    "syslog": to_syslog,
    "cef": to_cef,
}
"""From a line of the log without its line end to a line for a collector, without one as well."""

__all__ = ["FORMATS", "Format", "to_cef", "to_syslog"]
