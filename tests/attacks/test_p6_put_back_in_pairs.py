"""Two stores of a home put back together, from a copy made before something was deleted, erased, sealed anew, held or
renewed. Nothing that is gone comes back, and all but one pair is refused, or seen in the engine as when that alone is
put back.

Control store and audit log agree with each other. What left the engine since does not come back with them: ``get``
raises and ``verify`` says that it is missing. What had changed in these two alone is as before, an erasure that was
accepted and had not begun among it: only a head of the log that is kept elsewhere tells (docs/threat-model.md).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

import securevec as sv
from tests.attacks import test_p6_put_back as alone
from tests.attacks.test_p6_put_back import JANE, STORES, Past

MORE: Final[dict[str, Callable[[sv.SecureStore], object]]] = {
    "renewal": lambda store: store.renew_tokens("acme").raise_if_incomplete(),
    "erasure begun": lambda store: _begun(store),
}
EVENTS: Final = (*alone.EVENTS, *MORE)
PAIRS: Final = tuple(itertools.combinations(STORES, 2))
DEFAULT: Final = {
    ("control", "audit", "deletion"),
    ("keys", "engine", "renewal"),
    ("keys", "engine", "erasure begun"),
}


def _begun(store: sv.SecureStore) -> None:
    """Accepted, hidden, and nothing removed yet: the process ended."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("securevec.jobs.process_lock", _busy)
        assert store.tenant("acme").erase_subject(JANE).receipt is None


class _Busy:
    """The lock of a job that somebody else has."""

    def __enter__(self) -> bool:
        return False

    def __exit__(self, *_: object) -> None: ...


def _busy(_: Path, __: str) -> _Busy:
    return _Busy()


@pytest.mark.parametrize(
    ("first", "second", "event"),
    [
        pytest.param(*pair, event, marks=[] if (*pair, event) in DEFAULT else [pytest.mark.soak])
        for pair in PAIRS
        for event in EVENTS
        if (*pair, event) != ("control", "audit", "erasure begun")  # see above
    ],
)
def test_two_stores_put_back_together_bring_nothing_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, second: str, event: str
) -> None:
    for name, happens in MORE.items():
        monkeypatch.setitem(alone.EVENTS, name, happens)
    past = Past(tmp_path, "edge", event)
    past.put_back(first)
    past.put_back(second)
    seen = past.seen()  # and nothing that is gone is in it
    if {first, second} == {"control", "audit"}:
        if event in ("deletion", "erasure", "reseal", "renewal"):
            assert (seen["get"], seen["verify"]) == ("IsolationViolation", "CheckFailed")
    elif {first, second} != {"keys", "engine"}:
        assert seen in ({"open": "HomeRefused"}, {"open": "AuditTampered"})
    elif event in ("reseal", "tenant", "renewal"):
        assert seen == {"open": "HomeRefused"}, "which keys there are changed"
    elif event != "hold":
        assert seen["get"] == "RecordNotFound"
