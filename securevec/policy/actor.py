"""Who asks, and for what purpose. Every operation names an actor; none is anonymous."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import final

from securevec import limits
from securevec.errors import ConfigError

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}:[^\x00-\x20\x7f]+\Z")


@final
@dataclass(frozen=True, slots=True)
class Actor:
    """An identity of the form ``kind:name`` (``svc:helpdesk``, ``user:maria``) and the purpose it states.

    The process that opens a home holds its root key, so it is trusted to say who it acts for. The kind ``local``
    is kept for :meth:`local`, the operator at this machine's command line: only the name with this process's own
    user id is an administrator, and no other name of that kind is an actor. There are no subclasses, because one
    could answer differently when it is checked and when it is used.

    Raises :class:`ConfigError` for anything else, without repeating it.
    """

    name: str
    purpose: str = field(default="", repr=False)  # recorded as a keyed hash, so said nowhere
    admin: bool = False

    def __post_init__(self) -> None:
        # Callers may be untyped, so types are checked too.
        if type(self.name) is not str or not _NAME.match(self.name) or not _fits(self.name):
            raise ConfigError(
                "An actor is written kind:name, without spaces.", next_step='For example Actor("svc:helpdesk").'
            )
        if type(self.purpose) is not str or not _fits(self.purpose):
            raise ConfigError(f"An actor's purpose is valid text of at most {limits.MAX_NAME_BYTES} bytes.")
        local = self.name.startswith("local:")
        if self.admin is not local or (local and self.name != f"local:{os.getuid()}"):
            raise ConfigError("Only the local operator is an administrator.", next_step="Use Actor.local().")

    def __init_subclass__(cls) -> None:
        raise TypeError("Actor has no subclasses")

    @classmethod
    def local(cls, purpose: str = "") -> Actor:
        """The operator running this process: ``local:<uid>``, administrator of the installation."""
        return cls(f"local:{os.getuid()}", purpose=purpose, admin=True)

    @classmethod
    def parse(cls, text: str, purpose: str = "") -> Actor:
        """An actor as typed at ``--as``. The local operator's own name keeps its role; another uid is refused."""
        own = cls.local(purpose)
        if text == own.name:
            return own
        if text.startswith("local:"):
            raise ConfigError("Another user's local actor cannot be taken.", next_step=f"Use {own.name} or kind:name.")
        return cls(text, purpose=purpose)


def _fits(text: str) -> bool:
    """Whether a name or purpose is valid Unicode within the limit. Never raises: a codec's error carries the text."""
    try:
        return len(text.encode()) <= limits.MAX_NAME_BYTES
    except UnicodeEncodeError:
        return False
