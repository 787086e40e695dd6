"""Which model reads names: the small one, or beside it one that reads whole sentences (an extra)."""

from __future__ import annotations

from securevec.anonymize.findings import Names
from securevec.anonymize.names.tongues import NameModels, name_models
from securevec.errors import ConfigError


def require_names(names: Names) -> None:
    """Raises :class:`ConfigError` for another word, and :class:`MissingExtra` for what cannot be had here."""
    if names not in ("small", "contextual"):
        raise ConfigError("There is no such engine for names.", next_step="Use small or contextual.")
    if names == "contextual":
        from securevec.embed.minilm import require_extra  # as below

        require_extra()


def models_of(names: Names) -> NameModels:
    """Raises as :func:`require_names`, and ``DetectorError`` when a file of weights is damaged."""
    require_names(names)
    if names == "small":
        return name_models()
    # Imported by who asks for it alone.
    from securevec.anonymize.names.contextual import contextual_models

    return contextual_models()
