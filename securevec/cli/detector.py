"""Which detector a command works with: the built-in one, as its options and the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from securevec.cli.session import Session
from securevec.errors import UsageError

if TYPE_CHECKING:
    from securevec.anonymize import BuiltinDetector

Recall = Annotated[
    str | None,
    typer.Option("--recall", metavar="balanced|high", help="Default: the setting detect.recall.", show_default=False),
]


Names = Annotated[
    str | None,
    typer.Option("--names", metavar="small|contextual", help="Default: the setting detect.names.", show_default=False),
]


def chosen_detector(session: Session, recall: str | None = None, names: str | None = None) -> BuiltinDetector:
    """The built-in detector under the options, else under the settings. Raises ``ConfigError`` or ``MissingExtra``."""
    from securevec.anonymize import builtin_detector

    wanted = recall or session.settings.detect_recall
    if wanted not in ("balanced", "high"):
        raise UsageError("--recall is balanced or high.")
    reader = names or session.settings.detect_names
    if reader not in ("small", "contextual"):
        raise UsageError("--names is small or contextual.")
    return builtin_detector(
        "high" if wanted == "high" else "balanced",
        session.settings.detect_engine,
        "contextual" if reader == "contextual" else "small",
    )
