"""An exchange of the signing key that was asked for because others may have the old key says so, whatever is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from securevec.errors import UsageError
from tests.support.signing_desk import STEPS, checked, killed_rotating, opened


@pytest.mark.parametrize(
    "step", [step if step == "made" else pytest.param(step, marks=pytest.mark.soak) for step in STEPS]
)
def test_a_mark_is_not_lost_when_the_retry_leaves_it_out(tmp_path: Path, step: str) -> None:
    home = tmp_path / "home"
    with opened(home):
        pass
    killed_rotating(home, step, compromised=True)
    with opened(home) as store:
        done = store.rotate_signing_key()
        assert (done.number, done.compromised, done.resumed) == (1, True, True)
        report, _ = checked(store, store.runtime.keys.signing_key().public)
        assert [each.compromised for each in report.successions] == [True]
        assert not store.rotate_signing_key().compromised, "the mark is that of the one exchange"


@pytest.mark.parametrize(
    "step", [step if step == "made" else pytest.param(step, marks=pytest.mark.soak) for step in STEPS]
)
def test_a_mark_is_added_as_long_as_the_log_does_not_have_the_exchange(tmp_path: Path, step: str) -> None:
    home = tmp_path / "home"
    with opened(home):
        pass
    killed_rotating(home, step, compromised=False)
    with opened(home) as store:
        if step in ("handed over", "adopted"):
            with pytest.raises(UsageError, match="not added later"):
                store.rotate_signing_key(compromised=True)
            # As the refusal says: the key in force now is given up then, and marked.
            assert store.rotate_signing_key(compromised=True).number == 2
        else:
            assert store.rotate_signing_key(compromised=True).number == 1
        report, _ = checked(store, store.runtime.keys.signing_key().public)
        assert report.successions[-1].compromised
        assert store.runtime.keys.next_signing_key(make=False) is None, "no copy of it waits to be handed over to again"


def test_the_mark_is_not_lost_when_an_attempt_without_it_was_cut_short(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as store:
        keys = store.runtime.keys
        coming = keys.next_signing_key(make=True)
        assert coming is not None
        store.runtime.audit.exchange_key(coming.key, compromised=False)
        with pytest.raises(UsageError, match="not added later"):
            store.rotate_signing_key(compromised=True)
        assert store.rotate_signing_key(compromised=True).compromised
