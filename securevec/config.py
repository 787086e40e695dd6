"""Settings: an argument beats the environment, the environment beats the file, the file beats the default.

    # securevec.toml
    [store]
    home = "./helpdesk"            # SECUREVEC_HOME            default: securevec-home
    backend = "edge"               # SECUREVEC_BACKEND         default: edge
    plain_http_hosts = ["db"]      # SECUREVEC_PLAIN_HTTP_HOSTS, commas between; default: none but this machine
    layout = "shared"              # SECUREVEC_LAYOUT          of a Qdrant server: shared, collection or shard
    grpc_port = 6334               # SECUREVEC_GRPC_PORT       of a Qdrant server; default: REST
    open_shards = 128              # SECUREVEC_OPEN_SHARDS     collections an embedded store keeps open at most
    server_timeout = 60            # SECUREVEC_SERVER_TIMEOUT  seconds that a server may take for one request
    [keys]
    provider = "file"              # SECUREVEC_KEY_PROVIDER    file (default), passphrase, pkcs11 or aws-kms
    file = "/etc/keys/helpdesk"    # SECUREVEC_KEY_FILE        default: chosen by the key provider
    suite = "aes-256-gcm"          # SECUREVEC_KEY_SUITE       what is sealed from now on: aes-256-gcm (default),
                                   #                           aes-256-gcm-committing or -siv, chacha20-poly1305
    cache_ttl = 300                # SECUREVEC_KEY_CACHE_TTL   seconds that an open key stays in memory, 0 to 3600
    [embed]
    model = "minilm"               # SECUREVEC_EMBED_MODEL     minilm
    threads = 2                    # SECUREVEC_EMBED_THREADS   default: as many as BLAS uses, at most 8
    [detect]
    recall = "high"                # SECUREVEC_DETECT_RECALL   balanced (default) or high: more names, more false ones
    engine = "hyperscan"           # SECUREVEC_DETECT_ENGINE   re2 (default) or hyperscan, an extra for long ingests
    names = "contextual"           # SECUREVEC_DETECT_NAMES    small (default) or contextual: reads whole sentences

The file is the one named by the caller, else by ``SECUREVEC_CONFIG``, else ``securevec.toml`` in the current
directory, else in the home. Relative paths in it are relative to it. An unknown setting is an error wherever it
stands. Secrets, and how a token or key management service is reached, come from the environment only:
:func:`read_passphrase`, securevec.keyproviders.choosing, and the key of a server, which its adapter reads from
``SECUREVEC_BACKEND_API_KEY``. One in a file or in a backend address is an error.
"""

from __future__ import annotations

import difflib
import re
import stat
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, cast, get_args

from securevec.errors import ConfigError
from securevec.keyproviders.choosing import VARIABLES as KEY_SERVICES
from securevec.types import Suite

Source = Literal["default", "file", "environment", "argument"]

FILE_NAME: Final = "securevec.toml"
CONFIG: Final = "SECUREVEC_CONFIG"
PASSPHRASE: Final = "SECUREVEC_PASSPHRASE"  # noqa: S105  # the variable's name
PASSPHRASE_FILE: Final = "SECUREVEC_PASSPHRASE_FILE"  # noqa: S105  # the variable's name
API_KEY: Final = "SECUREVEC_BACKEND_API_KEY"
ACTOR: Final = "SECUREVEC_AS"

_PREFIX: Final = "SECUREVEC_"
_SERVER_KEYS: Final = ("SECUREVEC_QDRANT_API_KEY", "SECUREVEC_CHROMA_TOKEN")
"""Read by the adapters before the common one, for a process that reaches servers of both kinds."""
_OTHER_VARIABLES: Final = (CONFIG, PASSPHRASE, PASSPHRASE_FILE, API_KEY, *_SERVER_KEYS, ACTOR, *KEY_SERVICES)
_SECRET_NAME: Final = re.compile(r"pass(phrase|word|wd)?$|secret|token|api_?key|credential|private", re.IGNORECASE)
_BACKEND: Final = re.compile(r"[a-z][a-z0-9_+.-]*(://[^\s/@?#]+(/[^\s@?#]*)?)?\Z")
_HOST: Final = re.compile(r"[A-Za-z0-9_.:-]{1,253}\Z")
_MAX_FILE_BYTES: Final = 64 * 1024
_LINE: Final = re.compile(r" \(at (line \d+), column \d+\)$")
"""Where a TOML error is, as the parser ends its message."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it applies, and where it came from."""

    name: str
    value: str | int | Path | tuple[str, ...] | None
    source: Source


@dataclass(frozen=True, slots=True)
class Settings:
    """What applies. Made by :func:`load_settings`; holds no secret."""

    home: Path
    backend: str
    key_provider: Literal["file", "passphrase", "pkcs11", "aws-kms"]
    key_file: Path | None
    embed_model: Literal["minilm"]
    embed_threads: int | None
    models_required: bool
    plain_http_hosts: tuple[str, ...]
    layout: Literal["shared", "collection", "shard"] | None
    grpc_port: int | None
    open_shards: int | None
    server_timeout: int | None
    detect_recall: Literal["balanced", "high"]
    detect_engine: Literal["re2", "hyperscan"]
    detect_names: Literal["small", "contextual"]
    key_suite: Suite
    key_cache_ttl: int
    config_file: Path | None
    settings: tuple[Setting, ...]

    def explain(self) -> list[Setting]:
        """Every setting under its name in the file (``store.home``), its value and its source, in a fixed order."""
        return list(self.settings)


@dataclass(frozen=True, slots=True)
class _Known:
    name: str
    argument: str
    variable: str
    default: str | int | None
    read: Callable[[str, object], str | int | tuple[str, ...]]
    is_path: bool = False


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ConfigError(f"The setting {name} is not a text.")
    return value


def _backend(name: str, value: object) -> str:
    text = _text(name, value)
    if "@" in text or "?" in text:
        raise ConfigError(
            f"The setting {name} carries credentials or parameters in an address.",
            next_step=f"Put the key into the environment variable {API_KEY}.",
        )
    if not _BACKEND.match(text):
        raise ConfigError(
            f"The setting {name} is not a backend.", next_step="Use for example edge or qdrant://host:6333."
        )
    return text


def _one_of(*allowed: str) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        text = _text(name, value)
        if text not in allowed:
            raise ConfigError(f"The setting {name} has an unknown value.", next_step=f"Use {' or '.join(allowed)}.")
        return text

    return read


def _hosts(name: str, value: object) -> tuple[str, ...]:
    hosts: list[object] = list(value.split(",")) if isinstance(value, str) else cast("list[object]", value)
    if not isinstance(value, str | list) or not all(isinstance(host, str) and _HOST.match(host) for host in hosts):
        raise ConfigError(
            f"The setting {name} is not a list of hosts.", next_step="Write names or addresses, without scheme or port."
        )
    return tuple(sorted({str(host).lower() for host in hosts}))


def _flag(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value not in ("true", "false"):
        raise ConfigError(f"The setting {name} is neither true nor false.")
    return value == "true"


def _whole(most: int, *, least: int = 1) -> Callable[[str, object], int]:
    def read(name: str, value: object) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 5:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ConfigError(f"The setting {name} is not a whole number from {least} to {most}.")
        return value

    return read


_KNOWN: Final = (
    _Known("store.home", "home", "SECUREVEC_HOME", "securevec-home", _text, is_path=True),
    _Known("store.backend", "backend", "SECUREVEC_BACKEND", "edge", _backend),
    _Known("store.plain_http_hosts", "plain_http_hosts", "SECUREVEC_PLAIN_HTTP_HOSTS", None, _hosts),
    _Known("store.layout", "layout", "SECUREVEC_LAYOUT", None, _one_of("shared", "collection", "shard")),
    _Known("store.grpc_port", "grpc_port", "SECUREVEC_GRPC_PORT", None, _whole(65_535)),
    _Known("store.open_shards", "open_shards", "SECUREVEC_OPEN_SHARDS", None, _whole(16_384)),
    _Known("store.server_timeout", "server_timeout", "SECUREVEC_SERVER_TIMEOUT", None, _whole(3600)),
    _Known(
        "keys.provider",
        "key_provider",
        "SECUREVEC_KEY_PROVIDER",
        "file",
        _one_of("file", "passphrase", "pkcs11", "aws-kms"),
    ),
    _Known("keys.file", "key_file", "SECUREVEC_KEY_FILE", None, _text, is_path=True),
    _Known("keys.suite", "key_suite", "SECUREVEC_KEY_SUITE", "aes-256-gcm", _one_of(*get_args(Suite))),
    _Known("keys.cache_ttl", "key_cache_ttl", "SECUREVEC_KEY_CACHE_TTL", 300, _whole(3600, least=0)),
    _Known("embed.model", "embed_model", "SECUREVEC_EMBED_MODEL", "minilm", _one_of("minilm")),
    _Known("embed.threads", "embed_threads", "SECUREVEC_EMBED_THREADS", None, _whole(1024)),
    _Known("models.required", "models_required", "SECUREVEC_MODELS_REQUIRED", "false", _flag),
    _Known("detect.recall", "detect_recall", "SECUREVEC_DETECT_RECALL", "balanced", _one_of("balanced", "high")),
    _Known("detect.engine", "detect_engine", "SECUREVEC_DETECT_ENGINE", "re2", _one_of("re2", "hyperscan")),
    _Known("detect.names", "detect_names", "SECUREVEC_DETECT_NAMES", "small", _one_of("small", "contextual")),
)


def load_settings(
    *,
    config_file: Path | None = None,
    env: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    directory: Path | None = None,
) -> Settings:
    """The settings that apply. ``overrides`` by field name of :class:`Settings`; ``None`` in it means not given.

    ``directory`` is where ``securevec.toml`` is looked for first, by default the current directory. An empty
    environment variable counts as unset.

    Raises :class:`ConfigError`: an unknown setting (with the nearest known one), a value that cannot be used, a
    secret outside the environment, a named file that is absent or not TOML, a home set by the file inside that home.
    """
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    _refuse_unknown(given, [known.argument for known in _KNOWN], "argument")
    names = [known.variable for known in _KNOWN]
    variables = {name: value for name, value in env.items() if name.startswith(_PREFIX) and value}
    _refuse_unknown(variables, [*names, *_OTHER_VARIABLES], "environment variable")

    home = next(known for known in _KNOWN if known.name == "store.home")
    outside = given.get(home.argument) or variables.get(home.variable) or home.default
    beside = _expanded(home.name, _text(home.name, str(outside)))
    path = _find_file(config_file, variables.get(CONFIG), directory or Path(), beside)
    written = {} if path is None else _read_file(path)
    settings = tuple(_resolve(known, given, variables, written, path) for known in _KNOWN)
    value: dict[str, Any] = {known.argument: item.value for known, item in zip(_KNOWN, settings, strict=True)}
    if path is not None and home.name in written and path.parent.resolve() == beside.resolve():
        raise ConfigError("The settings file inside a home cannot name another home.")
    if value["key_provider"] != "file" and value["key_file"] is not None:
        raise ConfigError("A key file is named, and the key provider is another one.", next_step="Keep one of the two.")
    value["plain_http_hosts"] = value["plain_http_hosts"] or ()
    return Settings(**value, config_file=path, settings=settings)


def read_passphrase(env: Mapping[str, str]) -> str:
    """The passphrase of the key store, from ``SECUREVEC_PASSPHRASE`` or the file ``SECUREVEC_PASSPHRASE_FILE`` names.

    One line end at the end of the file is dropped. Raises :class:`ConfigError` when neither or both are set, or the
    file cannot be read, is empty, or is readable by others.
    """
    value, file = env.get(PASSPHRASE), env.get(PASSPHRASE_FILE)
    if value and file:
        raise ConfigError(f"Both {PASSPHRASE} and {PASSPHRASE_FILE} are set.", next_step="Keep one.")
    if value:
        return value
    if not file:
        raise ConfigError("No passphrase is given.", next_step=f"Set {PASSPHRASE_FILE} or {PASSPHRASE}.")
    try:
        path = Path(file)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError("The passphrase file is open to others.", next_step="Run chmod 600 on it.")
        with path.open("rb") as stream:
            data = stream.read(_MAX_FILE_BYTES + 1)
        text = data.decode().removesuffix("\n").removesuffix("\r") if len(data) <= _MAX_FILE_BYTES else ""
    except (OSError, ValueError):
        # Answered below, outside the handler: a decoding error carries the bytes it could not read.
        text = ""
    if not text:
        raise ConfigError(
            "The passphrase file is empty or cannot be read.",
            next_step="Write the passphrase on its first line, chmod 600.",
        )
    return text


def _resolve(
    known: _Known,
    given: Mapping[str, object],
    variables: Mapping[str, str],
    written: Mapping[str, object],
    path: Path | None,
) -> Setting:
    source: Source
    if known.argument in given:
        raw, source, label = given[known.argument], "argument", f"{known.argument} (argument)"
    elif known.variable in variables:
        raw, source, label = variables[known.variable], "environment", known.variable
    elif known.name in written:
        raw, source, label = written[known.name], "file", f"{known.name} ({FILE_NAME})"
    elif known.default is None:
        return Setting(known.name, None, "default")
    else:
        raw, source, label = known.default, "default", known.name
    value = known.read(label, str(raw) if isinstance(raw, Path) else raw)
    if known.is_path:
        base = path.parent if source == "file" and path is not None else Path()
        return Setting(known.name, base / _expanded(label, str(value)), source)
    return Setting(known.name, value, source)


def _find_file(named: Path | None, variable: str | None, directory: Path, home: Path) -> Path | None:
    explicit = named or (Path(variable) if variable else None)
    if explicit is not None:
        if not _is_file(explicit):
            raise ConfigError(
                "The settings file that was named does not exist.",
                next_step=f"Correct {CONFIG}, or the path that was given.",
            )
        return explicit
    return next((path for path in (directory / FILE_NAME, home / FILE_NAME) if _is_file(path)), None)


def _is_file(path: Path) -> bool:
    """Raises :class:`ConfigError` where nobody can tell: settings that cannot be seen must not be passed over."""
    try:
        return path.is_file()
    except OSError as error:
        raise ConfigError(
            f"Whether there is a {FILE_NAME} cannot be seen.",
            next_step="Is the path of the home right, and may you enter it, and the current directory?",
        ) from error


def _expanded(name: str, value: str) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"The setting {name} begins with a ~ that has no directory.") from error


def _read_file(path: Path) -> dict[str, object]:
    """Settings by dotted name. Raises :class:`ConfigError` on anything that is not a known setting."""
    place = path.name
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_FILE_BYTES + 1)
        tables = tomllib.loads(data.decode()) if len(data) <= _MAX_FILE_BYTES else None
    except OSError as error:
        raise ConfigError("The settings file cannot be read.") from error
    except (ValueError, RecursionError) as error:
        # Answered below, outside the handler: a TOML error quotes the line, and a secret may stand in it.
        tables = None
        if line := _LINE.search(str(error)):
            place = f"{line[1]} of {place}"
    if tables is None:
        raise ConfigError("The settings file is not TOML.", next_step=f"Look at {place}.")
    values: dict[str, object] = {}
    for section, table in tables.items():
        if not isinstance(table, dict):
            values[section] = table
            continue
        for name, value in cast("dict[str, object]", table).items():
            values[f"{section}.{name}"] = value
    for name in values:
        if _SECRET_NAME.search(name):
            _refuse_secret(name)
    _refuse_unknown(values, [known.name for known in _KNOWN], f"setting in {FILE_NAME}")
    return values


def _refuse_secret(name: str) -> NoReturn:
    variable = PASSPHRASE if "pass" in name.lower() else API_KEY
    raise ConfigError(
        "A settings file holds no secrets, and one of its settings is named like one.",
        next_step=f"Remove it, and set the environment variable {variable}.",
    )


def _refuse_unknown(names: Iterable[str], known: list[str], what: str) -> None:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            advice = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
            shown = name if name.isprintable() and len(name) <= 80 else "(unprintable)"
            raise ConfigError(f"Unknown {what}: {shown}.", next_step=advice)
