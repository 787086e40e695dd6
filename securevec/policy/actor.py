"""Who asks, and for what purpose. Every operation names an actor; none is anonymous."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from securevec import limits
from securevec.errors import ConfigError

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}:[^\x00-\x20\x7f]+\Z")


@dataclass(frozen=True, slots=True)
class Actor:
    """An identity of the form ``kind:name`` (``svc:helpdesk``, ``user:maria``) and the purpose it states.

    The process that opens a home holds its root key, so it is trusted to say who it acts for. The kind ``local``
    is kept for :meth:`local`, the operator at this machine's command line.
    """

    name: str
    purpose: str = ""
    admin: bool = False

    def __post_init__(self) -> None:
        if not _NAME.match(self.name) or len(self.name.encode()) > limits.MAX_NAME_BYTES:
            raise ConfigError(
                "An actor is written kind:name, without spaces.", next_step='For example Actor("svc:helpdesk").'
            )
        if len(self.purpose.encode()) > limits.MAX_NAME_BYTES:
            raise ConfigError(f"An actor's purpose is at most {limits.MAX_NAME_BYTES} bytes.")
        if self.admin != self.name.startswith("local:"):
            raise ConfigError("Only the local operator is an administrator.", next_step="Use Actor.local().")

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
