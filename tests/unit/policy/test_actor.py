"""Who is an administrator: the operator at this machine, under this process's own user id, and nobody else."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, cast

import pytest

from securevec import limits
from securevec.errors import ConfigError
from securevec.policy.actor import Actor


def test_the_local_operator_is_an_administrator() -> None:
    assert Actor.local().admin
    assert Actor(f"local:{os.getuid()}", admin=True) == Actor.local()
    assert Actor.parse(f"local:{os.getuid()}", "support") == Actor.local("support")
    assert dataclasses.replace(Actor.local(), purpose="support") == Actor.local("support")


@pytest.mark.parametrize("name", ["local:somebody", f"local:{os.getuid() + 1}", f"local:0{os.getuid()}", "local:"])
def test_another_local_name_is_refused_with_and_without_admin(name: str) -> None:
    for admin in (True, False):
        with pytest.raises(ConfigError):
            Actor(name, admin=admin)


def test_the_local_operator_is_not_without_its_role() -> None:
    with pytest.raises(ConfigError):
        Actor(f"local:{os.getuid()}")


@pytest.mark.parametrize("admin", [True, 1, "yes", Actor])
def test_no_other_actor_makes_itself_administrator(admin: object) -> None:
    with pytest.raises(ConfigError):
        Actor("svc:helpdesk", admin=cast("bool", admin))


@pytest.mark.parametrize("changes", [{"admin": True}, {"name": "local:somebody"}, {"name": "svc:x", "admin": True}])
def test_an_administrator_is_not_made_by_replacing_parts(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        dataclasses.replace(Actor("svc:helpdesk"), **changes)


def test_an_administrators_role_is_not_carried_to_another_name() -> None:
    with pytest.raises(ConfigError):
        dataclasses.replace(Actor.local(), name="local:somebody")


def test_what_an_actor_states_as_its_purpose_is_not_shown() -> None:
    assert "about Jane" not in f"{Actor('svc:helpdesk', purpose='about Jane')} {Actor.local('about Jane')!r}"


def test_there_are_no_subclasses_that_answer_otherwise() -> None:
    with pytest.raises(TypeError):
        type("Forged", (Actor,), {"admin": True})


@pytest.mark.parametrize("given", [None, 7, b"svc:helpdesk", ["svc:helpdesk"]])
def test_what_is_no_text_is_no_name_and_no_purpose(given: object) -> None:
    with pytest.raises(ConfigError):
        Actor(cast("str", given))
    with pytest.raises(ConfigError):
        Actor("svc:helpdesk", purpose=cast("str", given))


@pytest.mark.parametrize(
    "name",
    [
        *("helpdesk", "Svc:helpdesk", "svc:", ":helpdesk", "svc:help desk", "svc:help\n", "svc:help\x7f", " svc:x"),
        *("s" * 33 + ":x", "svc:" + "x" * limits.MAX_NAME_BYTES, "svc:\ud800"),
    ],
)
def test_a_name_that_a_log_could_not_tell_from_another_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Actor(name)
    assert name not in refused.value.message


class _Sly(str):
    """Another name when it is looked at than when it is used."""

    __slots__ = ()

    def startswith(self, *_: object) -> bool:
        return False


def test_a_text_that_answers_otherwise_is_no_name() -> None:
    with pytest.raises(ConfigError):
        Actor(_Sly(f"local:{os.getuid()}"))


def test_another_users_local_name_is_refused_as_such() -> None:
    with pytest.raises(ConfigError, match="Another user's"):
        Actor.parse("local:somebody-else")
