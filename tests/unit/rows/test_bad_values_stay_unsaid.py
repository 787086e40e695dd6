"""What a caller gives that is no vector and no time is refused by name, and said nowhere: not in a cause either."""

from __future__ import annotations

from typing import Any

import pytest

from securevec.errors import UsageError, VectorError
from securevec.people.erase import fence_end
from securevec.vectors import as_vectors

CANARY = "jane.roe@corp.example"


def said(error: BaseException | None) -> str:
    """An error and whatever hangs on it."""
    return "" if error is None else f"{error!r} {said(error.__cause__)} {said(error.__context__)}"


@pytest.mark.parametrize("given", [[CANARY], [[1.0, CANARY]], CANARY, {"a": CANARY}])
def test_what_is_no_number_is_in_no_error_of_given_vectors(given: object) -> None:
    with pytest.raises(VectorError) as refused:
        as_vectors(given, field="vectors")
    assert refused.value.field == "vectors"
    assert CANARY not in said(refused.value)


@pytest.mark.parametrize("until", [CANARY.encode(), [CANARY], 30, None])
def test_an_end_of_the_fence_that_is_no_time_is_refused_by_type(until: Any) -> None:
    with pytest.raises(UsageError, match="datetime or a duration") as refused:
        fence_end(until, now_ms=0)
    assert CANARY not in said(refused.value)
