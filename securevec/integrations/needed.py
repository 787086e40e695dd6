"""Imports of frameworks, which are optional."""

from __future__ import annotations

from types import TracebackType
from typing import Final

from securevec.errors import MissingExtra

_PACKAGES: Final = {"langchain": "langchain_core", "llamaindex": "llama_index", "haystack": "haystack"}
_NAMES: Final = {"langchain": "LangChain", "llamaindex": "LlamaIndex", "haystack": "Haystack"}


class needed:  # noqa: N801  # reads as a statement
    """``with needed("langchain"): from langchain_core ... import ...``. Raises :class:`MissingExtra` when it is absent.

    Only an absent framework is: a module that is missing inside an installed one is an error of that installation.
    """

    def __init__(self, extra: str) -> None:
        self._extra = extra

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == _PACKAGES[self._extra]:
            raise MissingExtra(_NAMES[self._extra], extra=self._extra) from error
