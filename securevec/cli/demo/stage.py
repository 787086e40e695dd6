"""What the demo shows, and what it keeps: steps as they happen, and every attempt with its outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from securevec.cli.output import cell, console, table
from securevec.errors import SecurevecError

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH: Final = 100

PROMISES: Final[Mapping[str, tuple[str, str]]] = {
    "P1": ("a handle reaches its own tenant only", "handles, ids, vectors, labels and field names of another tenant"),
    "P2": ("what does not belong is dropped and counted", "another tenant's point, planted in the shard"),
    "P3": ("nothing undeclared or in clear leaves", "a tap on the embedder, the raw files, a reader without reveal"),
    "P4": ("a sealed value holds in its place only", "bodies exchanged, bits flipped, a readable label edited"),
    "P5": ("destroyed keys make bytes unreadable", "a payload copied before, the files after, a forged receipt"),
    "P6": ("suspended, due or deleted: not answered", "open handles during suspension, after expiry and deletion"),
    "P7": ("no answer without its record", "a full disk; lines flipped, removed, exchanged, cut"),
    "P8": ("an error denies", "a policy engine that fails, another root key"),
}
"""Each promise in a few words, and how the demo tries it."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt against a promise: what was done, what came of it, and whether the promise held."""

    promise: str
    attempt: str
    result: str
    held: bool


class Stage:
    """Prints as it goes unless the answer is to be JSON; collects both ways."""

    def __init__(self, *, as_json: bool) -> None:
        self._console = None if as_json else console()
        if self._console is not None:
            self._console.width = min(self._console.width, WIDTH)  # a report, to be read as one page
        self._started = time.monotonic()
        self.tried: list[Tried] = []
        self.document: dict[str, Any] = {}

    @property
    def quiet(self) -> bool:
        """Whether nothing is shown while it runs."""
        return self._console is None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def step(self, number: int, title: str) -> None:
        """A heading with the seconds since the start."""
        if self._console is None:
            return
        from rich.rule import Rule

        self._console.print()
        left = cell(f"{number}  {title}", style="bold")
        left.append(f"   {self.seconds:.1f} s", style="dim")
        self._console.print(Rule(left, align="left", characters="-", style="dim"))

    def show(self, *parts: RenderableType) -> None:
        if self._console is not None:
            for part in parts:
                self._console.print(part)

    def note(self, text: str) -> None:
        self.show(cell(text))

    def attempt(self, promise: str, what: str, act: Callable[[], str], *expected: type[SecurevecError]) -> Tried:
        """Run an attempt that must fail with one of ``expected``, or raise :class:`Breach` with what went wrong.

        Without ``expected``, ``act`` returns what it saw, and raises :class:`Breach` when the promise did not hold.
        """
        try:
            seen, held = act(), not expected
            result = seen if held else f"it went through: {seen}"
        except expected as error:
            result, held = f"refused: {type(error).__name__}", True
        except Breach as breach:
            result, held = str(breach), False
        except SecurevecError as error:
            result, held = f"another error: {type(error).__name__}", False
        tried = Tried(promise, what, result, held)
        self.tried.append(tried)
        return tried

    def attempts(self, tried: Sequence[Tried]) -> None:
        """A table of attempts."""
        self.document.setdefault("attempts", []).extend(asdict(entry) for entry in tried)
        self.show(
            "",
            table(
                ["", "tried", "result"],
                [(entry.promise, entry.attempt, _outcome(entry.result, held=entry.held)) for entry in tried],
            ),
        )

    def promises(self) -> bool:
        """The last table: each promise, how often it was tried, and the result. Returns whether all held."""
        rows: list[tuple[object, ...]] = []
        summary: list[dict[str, object]] = []
        for promise, (words, how) in PROMISES.items():
            against = [entry for entry in self.tried if entry.promise == promise]
            broken = [entry.attempt for entry in against if not entry.held]
            held = bool(against) and not broken
            result = f"held {len(against) - len(broken)} of {len(against)}"
            rows.append((promise, words, "; ".join(broken) or how, _outcome(result, held=held)))
            summary.append({"promise": promise, "text": words, "tried": len(against), "held": held, "broken": broken})
        self.document["promises"] = summary
        self.show(table(["", "promise", "tried", "result"], rows))
        return all(entry["held"] is True for entry in summary)


class Breach(Exception):
    """A promise did not hold. The text says what was seen, in numbers."""


def _outcome(text: str, *, held: bool) -> RenderableType:
    return cell(text if held else f"BROKEN: {text}", style="green" if held else "bold red")
