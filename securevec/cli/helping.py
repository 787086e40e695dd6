"""How ``--help`` is laid out. What is a command's own stands first; the options that every command takes are told in
full by ``securevec --help`` alone, and named in two lines by every other: repeated, they were two thirds of each help.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from typer.core import TyperCommand, TyperGroup

COMMON: Final = ("--json", "--home", "--key-file", "--as", "--purpose", "--wait", "--help")
"""What every command takes, by the first spelling of each."""

SECTIONS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("Begin", ("demo", "init", "doctor", "upgrade", "completion")),
    (
        "Records",
        ("schema", "ingest", "search", "get", "count", "describe", "update", "delete", "export", "inspect", "import"),
    ),
    ("Tenants, people, time", ("tenant", "subject", "retention", "hold", "models", "jobs")),
    ("Proof, keys, copies", ("verify", "audit", "receipt", "keys", "backup", "accept-detector")),
    ("Try and measure", ("scan-text", "eval", "attack", "bench", "leakage", "cloak")),
)
"""The commands of the program itself, in the order of its help. A test compares them with the parser."""

# Parameters, contexts and formatters are told by shape, not by class: typer may carry a copy of click.


class Command(TyperCommand):
    """A command whose help is laid out here."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What follows the command's name in the first line."""
        return ["[OPTIONS]", *(_usage(each) for each in self.params if _argued(each))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments that have something to say, the command's own options, and the names of the common ones."""
        arguments: list[Any] = [each for each in self.params if _argued(each)]
        _list(formatter, "Arguments", [(each.metavar, each.help) for each in arguments if each.help])
        _list(formatter, "Options", _records(self.get_params(ctx), ctx, common=False))
        _common(formatter, self.get_params(ctx), ctx)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The examples, as they are."""
        _as_it_is(formatter, self.epilog)


class Group(TyperGroup):
    """Several commands, of one theme or, for the program itself, of all of :data:`SECTIONS`."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The commands with a line each; behind them the program's options, in full for the program itself."""
        if ctx.parent is None:
            for title, names in SECTIONS:
                self._commands(formatter, title, names)
            _list(formatter, "Options of every command", _records(self.get_params(ctx), ctx, common=None))
        else:
            self._commands(formatter, "Commands", list(self.commands))
            _common(formatter, self.get_params(ctx), ctx)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The first steps, as they are."""
        _as_it_is(formatter, self.epilog)

    def _commands(self, formatter: Any, title: str, names: Sequence[str]) -> None:
        room = formatter.width - 6 - max(map(len, self.commands))
        _list(formatter, title, [(name, self.commands[name].get_short_help_str(room)) for name in names])


def _argued(parameter: Any) -> bool:
    return str(parameter.param_type_name) == "argument"


def _usage(argument: Any) -> str:
    shown = argument.metavar if argument.nargs == 1 else f"{argument.metavar}..."
    return str(shown) if argument.required else f"[{shown}]"


def _records(parameters: Iterable[Any], ctx: Any, *, common: bool | None) -> Iterator[tuple[str, str]]:
    """Spelling and help of the options; of the ``common`` ones, of the others, or of all."""
    for each in parameters:
        if each.param_type_name == "option" and common in (None, _is_common(each)):
            record = each.get_help_record(ctx)
            if record is not None:
                yield record


def _is_common(option: Any) -> bool:
    return not set(COMMON).isdisjoint(option.opts)


def _common(formatter: Any, parameters: Iterable[Any], ctx: Any) -> None:
    names = ", ".join(name for name, _ in _records(parameters, ctx, common=True) if "--help" not in name)
    formatter.write_paragraph()
    formatter.write_text(f"Options of every command (securevec --help): {names}.")


def _as_it_is(formatter: Any, text: str | None) -> None:
    if text:
        formatter.write_paragraph()
        formatter.write(f"{text}\n")


def _list(formatter: Any, title: str, rows: Iterable[tuple[str, str]]) -> None:
    found = list(rows)
    if found:
        with formatter.section(title):
            formatter.write_dl(found)
