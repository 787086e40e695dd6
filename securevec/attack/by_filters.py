"""Attacks by a caller's own filter: composed so that it is always true, named so that it reaches the tenant's field or
a path, or built by hand so that it is no filter at all. Numbers are those of docs/attacks-on-isolation.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from securevec.attack.callers import Caller
from securevec.attack.case import Attack, Scene
from securevec.errors import FilterError
from securevec.filters import And, Compare, Exists, Expr, F, In, Not, Or

STATUS: Final = F("status")
ALWAYS_TRUE: Final[dict[str, Expr]] = {
    "exists or not": STATUS.exists() | ~STATUS.exists(),
    "later than ever": F("opened") >= datetime(1970, 1, 2, tzinfo=UTC),
    "one of everything": STATUS.is_in(["open", "closed", "", "*", "%"]),
    "not not": ~~STATUS.exists(),
    "or with a contradiction": ((STATUS == "a") & ~(STATUS == "a")) | (STATUS != "x"),
    "built by hand": Or((Not(Exists("status")), Exists("status"), STATUS == "nobody")),
}
NEGATED: Final[dict[str, Expr]] = {
    "not a value nobody has": ~(STATUS == "nobody"),
    "unequal to a value nobody has": STATUS != "nobody",
    "not a date nobody has": ~(F("opened") == datetime(1970, 1, 2, tzinfo=UTC)),
    "not one of several": ~STATUS.is_in(["nobody", "never"]),
}
SPOKEN: Final = ("' or 1=1 --", '"]} or true', "*", "open\x00closed", "\u202eopen", "open" * 5000)
"""Values in which a store could read its own language."""
OF_THE_STORE: Final = ("t", "c", "tenant", "sv", "b", "v", "x", "f_status", "id", "body")
PATHS: Final = (
    *("a.b", "a[]", "status[0]", 'status"', "f_status.x", "t.x", "status ", "", "\u0441\u0442\u0430\u0442\u0443\u0441"),
    *("status\x00", "a" * 65),
)


def all_own(filters: dict[str, Expr]) -> Callable[[Scene, Caller], int]:
    """Each filter is true of every own record, so the answer is all of them and nothing else."""

    def attempt(scene: Scene, caller: Caller) -> int:
        told = 0
        for name, where in filters.items():
            found = caller.search(where)
            told += scene.through(name, scene.wrong(found) + max(0, len(scene.truth) - len(found)))
        return told

    return attempt


def spoken(scene: Scene, caller: Caller) -> int:
    """A value nobody holds is equal to nothing, and unequal to every own one."""
    told = 0
    for value in SPOKEN:
        told += scene.through("equal", len(caller.search(Compare("status", "eq", value))))
        told += scene.through("unequal", scene.wrong(caller.search(Compare("status", "ne", value))))
    return told


def forged(keys: tuple[str, ...]) -> Callable[[Scene, Caller], int]:
    """Every kind of condition on each key, put past the check that a filter makes of itself, alone and within others:
    each must be refused."""

    def attempt(scene: Scene, caller: Caller) -> int:
        tag, taken = scene.theirs.namespace.tenant_tag, 0
        for number, key in enumerate(keys):
            for leaf in (Compare("status", "eq", tag), In("status", (tag,)), Exists("status")):
                object.__setattr__(leaf, "key", key)
                within = (leaf, Not(leaf), And((STATUS == "open", leaf)), Or((STATUS.exists(), leaf)))[number % 4]
                for where in (leaf, within):
                    taken += scene.through(f"a filter on {key!r}", _taken(scene, caller, where))
        return taken

    return attempt


class Everything(Expr):
    """A condition of the caller's own kind."""


class Chameleon(Compare):
    """Says one key while it is checked and another while it is used."""

    keys: Iterator[str]

    def __getattribute__(self, name: str) -> Any:
        if name == "key":
            return next(super().__getattribute__("keys"))
        return super().__getattribute__(name)


def chameleon(honest: int) -> Expr:
    """Names its own field so many times, and the tenant's from then on."""
    made = Chameleon("status", "ne", "nobody")
    object.__setattr__(made, "keys", iter([*["status"] * honest, *["t"] * 1000]))
    return made


def _cycle() -> Expr:
    made = And((Exists("status"),))
    object.__setattr__(made, "parts", (made,))
    return made


def _with_part(part: object) -> Expr:
    made = Not(Exists("status"))
    object.__setattr__(made, "part", part)
    return made


def _with_value(value: object, op: str = "eq") -> Expr:
    made = Compare("status", "eq", "open")
    object.__setattr__(made, "value", value)
    object.__setattr__(made, "op", op)
    return made


CRAFTED: Final[dict[str, Callable[[], Any]]] = {
    "a class of the caller's own": Everything,
    "the bare base class": Expr,
    "the caller's own class inside": lambda: And((STATUS == "open", Everything())),
    "a raw engine filter": lambda: {"must_not": [{"key": "t", "match": {"value": "x"}}]},
    "a raw engine filter inside": lambda: _with_part({"key": "t"}),
    "a text": lambda: "status == open",
    "nothing inside a negation": lambda: _with_part(None),
    "an empty conjunction": lambda: And(()),
    "an empty disjunction": lambda: Or(()),
    "an empty membership": lambda: In("status", ()),
    "itself inside itself": _cycle,
    "a dictionary as the value": lambda: _with_value({"any": ["x"]}),
    "a list as the value": lambda: _with_value(["open", "closed"]),
    "an unknown comparison": lambda: _with_value("open", "is_anything"),
}
CHANGES_AFTER: Final = 12
"""A filter is looked at fewer times than this before it is used: whenever it begins to lie, it was refused."""


def crafted(scene: Scene, caller: Caller) -> int:
    return sum(scene.through(name, _taken(scene, caller, build())) for name, build in CRAFTED.items())


def changing(scene: Scene, caller: Caller) -> int:
    tried = (chameleon(honest) for honest in range(CHANGES_AFTER))
    return sum(scene.through("a key that changes", _taken(scene, caller, where)) for where in tried)


def _taken(scene: Scene, caller: Caller, where: Any) -> int:
    """1 and what it brought, when it was not refused."""
    try:
        return scene.wrong(caller.search(where)) + 1
    except FilterError:
        return 0


BY_FILTERS: Final[tuple[Attack, ...]] = (
    Attack("callers-tenant-filter", "name the other tenant, or a field of the store, in one's own filter",
           "10; caller-supplied tenant filter", "callers_filter", forged(OF_THE_STORE)),
    Attack("json-path-key", "a field name that the store reads as a path", "13", "json_path", forged(PATHS)),
    Attack("filter-composition", "a filter that is always true beside the tenant's", "11, 26", "composed_filter",
           all_own(ALWAYS_TRUE)),
    Attack("negation-without-key", "a negation, which matches rows that lack the key", "26", "negated_filter",
           all_own(NEGATED)),
    Attack("filter-value", "a filter value in the store's language", "11", "composed_filter", spoken),
    Attack("crafted-filter", "a filter built by hand that is none", "11", "callers_filter", crafted),
    Attack("changing-filter", "a filter whose field changes between check and use", "10, 11", "callers_filter",
           changing),
)  # fmt: skip
