"""What a shell completes: commands and options, written down from the parser itself. Names of tenants and collections
are not completed: asking for them is an access like any other, and is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

SHELLS: Final = ("bash", "zsh", "fish")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a command: all its spellings, whether a value follows, and its help in a line."""

    names: tuple[str, ...]
    takes_value: bool
    about: str


@dataclass(frozen=True, slots=True)
class Place:
    """A command, or a group of some: what may follow it."""

    commands: Mapping[str, str]
    """Name and help of each command of a group; empty for a command."""
    options: tuple[Option, ...]


def places(program: Any) -> dict[str, Place]:
    """By the words behind the program's name; the empty one is the program itself, a command of click."""
    return dict(_below("", program))


def _below(words: str, command: Any) -> Iterator[tuple[str, Place]]:
    # By shape, not by class: typer may carry a copy of click.
    below: Mapping[str, Any] = getattr(command, "commands", {})
    options = tuple(
        Option((*each.opts, *each.secondary_opts), not each.is_flag, _line(each.help or ""))
        for each in command.params
        if each.param_type_name == "option" and not each.hidden
    )
    shown = (*options, Option(("-h", "--help"), takes_value=False, about="Show the help and end."))
    yield words, Place({name: _line(each.help or "") for name, each in below.items()}, shown)
    for name, each in below.items():
        yield from _below(f"{words} {name}".strip(), each)


def _line(text: str) -> str:
    """The first sentence or line, without what a shell would read."""
    first = " ".join(text.split("\n\n")[0].split()).partition(". ")[0].rstrip(".")
    return "".join(character for character in first if character not in '"\\`$')


def script(shell: str, program: Any) -> str:
    """The completion for one of :data:`SHELLS`."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](places(program))


_BASH: Final = """# Completion of securevec for bash: source <(securevec completion bash)
_securevec() {
    local cur=${COMP_WORDS[COMP_CWORD]} at="" i commands="" options=""
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$at ${COMP_WORDS[i]}" in
            %(known)s) at="$at ${COMP_WORDS[i]}" ;;
        esac
    done
    case "$at" in
%(cases)s
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$cur"))
    else
        COMPREPLY=($(compgen -W "$commands" -- "$cur"))
    fi
}
complete -o default -F _securevec securevec
"""

_ZSH: Final = """#compdef securevec
# Completion of securevec for zsh: securevec completion zsh > a file _securevec in a directory of $fpath
_securevec() {
    local at="" i
    local -a commands options
    for ((i = 2; i < CURRENT; i++)); do
        case "$at ${words[i]}" in
            (%(known)s) at="$at ${words[i]}" ;;
        esac
    done
    case "$at" in
%(cases)s
    esac
    if [[ ${words[CURRENT]} == -* ]]; then
        compadd -- $options
    elif (( ${#commands} )); then
        compadd -- $commands
    else
        _files
    fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _securevec "$@"; else compdef _securevec securevec; fi
"""

_FISH: Final = """# Completion of securevec for fish: securevec completion fish | source
function __securevec_at
    set -l at
    for word in (commandline -opc)[2..-1]
        if contains -- (string join -- ' ' $at $word) %(known)s
            set at $at $word
        end
    end
    set at (string join -- ' ' $at)
    test "$at" = "$argv[1]"
end
%(cases)s
"""


def _known(found: Mapping[str, Place]) -> str:
    return "|".join(f'" {words}"' for words in found if words)


def _words(place: Place) -> tuple[str, str]:
    return " ".join(place.commands), " ".join(name for option in place.options for name in option.names)


def _bash(found: Mapping[str, Place]) -> str:
    return _filled(_BASH, '"{at}") commands="{commands}" options="{options}" ;;', found)


def _zsh(found: Mapping[str, Place]) -> str:
    return _filled(_ZSH, '("{at}") commands=({commands}) options=({options}) ;;', found)


def _filled(script: str, case: str, found: Mapping[str, Place]) -> str:
    """The script with a case for each place."""
    cases: list[str] = []
    for words, place in found.items():
        commands, options = _words(place)
        at = f" {words}" if words else ""
        cases.append("        " + case.format(at=at, commands=commands, options=options))
    return script % {"known": _known(found), "cases": "\n".join(cases)}


def _quoted(about: str) -> str:
    return "'" + about.replace("'", "\\'") + "'"


def _fish(found: Mapping[str, Place]) -> str:
    lines: list[str] = []
    for words, place in found.items():
        start = f"complete -c securevec -n '__securevec_at \"{words}\"'"
        lines += [f"{start} -f -a {name} -d {_quoted(about)}" for name, about in place.commands.items()]
        for option in place.options:
            names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
            lines.append(f"{start} {names}{' -r' if option.takes_value else ''} -d {_quoted(option.about)}")
    known = " ".join(f"'{words}'" for words in found if words)
    return _FISH % {"known": known, "cases": "\n".join(lines)}
