"""What every command has in common: ``--json``, ``--home``, ``--as``, ``--purpose``, ``--key-file``, ``--wait``,
before or after the command's name, and a :class:`~securevec.cli.session.Session` made of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated, Any, Concatenate, Final, ParamSpec, get_type_hints

import typer

from securevec.cli.examples import FIRST_STEPS, epilog
from securevec.cli.failure import report
from securevec.cli.helping import Command
from securevec.cli.helping import Group as GroupOfCommands
from securevec.cli.output import to_json
from securevec.cli.session import Options, Session

P = ParamSpec("P")

Json = Annotated[bool, typer.Option("--json", help="Answer with JSON on stdout.")]
Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help="The home. Else SECUREVEC_HOME, securevec.toml, securevec-home.",
        show_default=False,
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", metavar="FILE", help="The root key file. Also SECUREVEC_KEY_FILE.", show_default=False),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as", metavar="ACTOR", help="Who asks, as kind:name. Default: the local administrator.", show_default=False
    ),
]
Purpose = Annotated[
    str | None,
    typer.Option("--purpose", metavar="TEXT", help="Why; recorded as a keyed hash.", show_default=False),
]

Wait = Annotated[
    float | None,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        help="How long to wait for another process that holds the home. Default: not at all, exit 4.",
        show_default=False,
    ),
]

Version = Annotated[bool, typer.Option("--version", help="Say which securevec this is, and end.")]

_COMMON: Final[dict[str, Any]] = {
    "json": (Json, False),
    "home": (Home, None),
    "key_file": (KeyFile, None),
    "actor": (As, None),
    "purpose": (Purpose, None),
    "wait": (Wait, None),
}
"""By field of :class:`Options`."""

_HELP_NAMES: Final[dict[str, Any]] = {"help_option_names": ["-h", "--help"]}

_KEYWORD: Final = inspect.Parameter.KEYWORD_ONLY
_PREFIX: Final = "common_"
"""Keeps the common parameters apart from a command's own."""


@dataclass(frozen=True, slots=True)
class Group:
    """A Typer application, or a part of one, whose commands take the common options."""

    typer: typer.Typer
    words: str = ""
    """In front of the commands' names."""

    def command(
        self, name: str
    ) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[Concatenate[Session, P], None]]:
        """Register a function ``(session, ...)`` as the command ``name``; its docstring is the help, with examples."""

        def register(function: Callable[Concatenate[Session, P], None]) -> Callable[Concatenate[Session, P], None]:
            examples = epilog(f"{self.words} {name}".strip())
            self.typer.command(name, cls=Command, epilog=examples, context_settings=_HELP_NAMES)(_wrapped(function))
            return function

        return register


def group(*, help_text: str, root: bool = False, words: str = "") -> Group:
    """A new application, called by ``words`` behind the program's name: plain help, no completion, and no pretty
    tracebacks, because those print local variables. The ``root`` of all others also says its version.
    """
    application = typer.Typer(
        cls=GroupOfCommands,
        help=help_text,
        epilog=FIRST_STEPS if root else None,
        no_args_is_help=True,
        add_completion=False,
        context_settings=_HELP_NAMES,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        pretty_exceptions_show_locals=False,
    )
    application.callback(invoke_without_command=root)(_remembering(root=root))
    return Group(application, words)


def _remembering(*, root: bool) -> Callable[..., None]:
    """The callback of a group: keeps the common options for the commands below it. The root's answers ``--version``."""

    def remember(context: typer.Context, **given: Any) -> None:
        if given.pop("version", False):
            number = version_of("securevec")
            typer.echo(to_json({"securevec": number}) if given["json"] else f"securevec {number}")
            raise typer.Exit
        if context.invoked_subcommand is None:
            context.fail("Missing command.")
        context.obj = _given(context, **given)

    options = {"version": (Version, False), **_COMMON} if root else _COMMON
    _take(remember, _parameters(options))
    return remember


def _given(context: typer.Context, **values: Any) -> Options:
    """What was given here, over what was given further left."""
    parent = context.parent
    before = parent.obj if parent is not None and isinstance(parent.obj, Options) else Options()
    return replace(before, **{name: value for name, value in values.items() if value not in (None, False)})


def _wrapped(function: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """``function`` with the common options added to its signature, its errors reported, and a session handed in."""

    def run(context: typer.Context, **arguments: Any) -> None:
        options = _given(context, **{name: arguments.pop(_PREFIX + name) for name in _COMMON})
        try:
            with Session(options) as session:
                call: Callable[..., None] = function
                call(session, **arguments)
        except (typer.Exit, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # every failure becomes a line and a code
            raise typer.Exit(report(error, as_json=options.json, command=context.command_path)) from None

    hints = get_type_hints(function, include_extras=True)
    own = list(inspect.signature(function).parameters.values())[1:]
    mine = [parameter.replace(annotation=hints[parameter.name], kind=_KEYWORD) for parameter in own]
    _take(run, [*mine, *_parameters(_COMMON, prefix=_PREFIX)])
    run.__doc__ = function.__doc__
    run.__name__ = function.__name__
    return run


def _parameters(options: Mapping[str, tuple[Any, Any]], prefix: str = "") -> list[inspect.Parameter]:
    """By name: annotation and default."""
    return [
        inspect.Parameter(prefix + name, _KEYWORD, annotation=annotation, default=default)
        for name, (annotation, default) in options.items()
    ]


def _take(function: Callable[..., None], parameters: Sequence[inspect.Parameter]) -> None:
    """Let Typer see these parameters behind the context, whatever the function itself declares."""
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    whole = [context, *parameters]
    function.__signature__ = inspect.Signature(whole)  # type: ignore[attr-defined]  # read by inspect.signature
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in whole}
