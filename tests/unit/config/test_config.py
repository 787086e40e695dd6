"""Precedence of settings, and what a settings file may not hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from securevec.config import Settings, load_settings, read_passphrase
from securevec.errors import ConfigError


def load(directory: Path, env: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    return load_settings(env=env or {}, overrides=overrides, directory=directory)


def write(directory: Path, text: str) -> Path:
    path = directory / "securevec.toml"
    path.write_text(text)
    return path


def sources(settings: Settings) -> dict[str, str]:
    return {setting.name: setting.source for setting in settings.explain()}


def test_without_anything_the_defaults_apply(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.home, settings.backend, settings.key_provider) == (Path("securevec-home"), "edge", "file")
    assert (settings.key_file, settings.embed_model, settings.embed_threads) == (None, "minilm", None)
    assert set(sources(settings).values()) == {"default"}


def test_an_argument_beats_the_environment_beats_the_file_beats_the_default(tmp_path: Path) -> None:
    write(tmp_path, '[store]\nbackend = "memory"\nhome = "h"\n[embed]\nthreads = 3\n')
    env = {"SECUREVEC_BACKEND": "qdrant://host:6333", "SECUREVEC_EMBED_THREADS": "4"}
    settings = load(tmp_path, env, embed_threads=5, home=None)
    assert (settings.embed_threads, settings.backend, settings.home) == (5, "qdrant://host:6333", tmp_path / "h")
    assert sources(settings) == {
        "store.home": "file",
        "store.backend": "environment",
        "store.plain_http_hosts": "default",
        "store.layout": "default",
        "store.grpc_port": "default",
        "store.open_shards": "default",
        "store.server_timeout": "default",
        "keys.provider": "default",
        "keys.file": "default",
        "embed.model": "default",
        "embed.threads": "argument",
        "models.required": "default",
        "detect.recall": "default",
        "detect.engine": "default",
        "detect.names": "default",
        "keys.suite": "default",
        "keys.cache_ttl": "default",
    }


def test_a_named_file_beats_the_variable_beats_the_directory_beats_the_home(tmp_path: Path) -> None:
    for name in ("named", "variable", "directory", "home"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, f'[store]\nbackend = "{name}"\n')
    env = {"SECUREVEC_CONFIG": str(tmp_path / "variable/securevec.toml"), "SECUREVEC_HOME": str(tmp_path / "home")}
    named = load_settings(config_file=tmp_path / "named/securevec.toml", env=env, directory=tmp_path / "directory")
    assert named.backend == "named"
    assert load(tmp_path / "directory", env).backend == "variable"
    del env["SECUREVEC_CONFIG"]
    assert load(tmp_path / "directory", env).backend == "directory"
    settings = load(tmp_path, env)
    assert (settings.backend, settings.config_file) == ("home", tmp_path / "home/securevec.toml")


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    assert load(tmp_path, {"SECUREVEC_BACKEND": ""}).backend == "edge"


def test_a_path_argument_may_be_a_path(tmp_path: Path) -> None:
    assert load(tmp_path, key_file=tmp_path / "k").key_file == tmp_path / "k"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ('[store]\nhoem = "x"\n', "store.home"),
        ('[stroe]\nhome = "x"\n', "store.home"),
        ('home = "x"\n', "Known"),
        ("[audit]\nmode = 1\n", "Known"),
        ("[store.home]\nx = 1\n", "not a text"),
    ],
)
def test_an_unknown_setting_is_an_error_that_names_it_or_the_nearest(tmp_path: Path, text: str, advice: str) -> None:
    write(tmp_path, text)
    with pytest.raises(ConfigError, match=advice):
        load(tmp_path)


def test_a_misspelt_variable_or_argument_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SECUREVEC_HOME"):
        load(tmp_path, {"SECUREVEC_HOEM": "x"})
    with pytest.raises(ConfigError, match="backend"):
        load(tmp_path, backnd="edge")


@pytest.mark.parametrize("name", ["passphrase", "password", "db_passwd", "api_key", "apikey", "token", "client_secret"])
@pytest.mark.parametrize("section", ["[keys]", "[store]", ""])
def test_a_secret_in_the_file_is_refused_without_being_repeated(tmp_path: Path, name: str, section: str) -> None:
    write(tmp_path, f'{section}\n{name} = "hunter2-canary"\n')
    with pytest.raises(ConfigError, match="SECUREVEC_") as caught:
        load(tmp_path)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("backend", ["qdrant://user:hunter2@host:6333", "qdrant://host:6333?api_key=hunter2"])
def test_credentials_in_a_backend_address_are_refused(tmp_path: Path, backend: str) -> None:
    with pytest.raises(ConfigError, match="SECUREVEC_BACKEND_API_KEY") as caught:
        load(tmp_path, backend=backend)
    assert "hunter2" not in str(caught.value)


def test_hosts_allowed_without_tls_come_from_file_environment_or_argument(tmp_path: Path) -> None:
    assert load(tmp_path).plain_http_hosts == ()
    write(tmp_path, '[store]\nplain_http_hosts = ["DB", "10.0.0.7"]\n')
    assert load(tmp_path).plain_http_hosts == ("10.0.0.7", "db")
    assert load(tmp_path, {"SECUREVEC_PLAIN_HTTP_HOSTS": "one,two"}).plain_http_hosts == ("one", "two")
    assert load(tmp_path, plain_http_hosts=["::1"]).plain_http_hosts == ("::1",)


@pytest.mark.parametrize("name", ["SECUREVEC_BACKEND_API_KEY", "SECUREVEC_QDRANT_API_KEY", "SECUREVEC_CHROMA_TOKEN"])
def test_the_keys_of_servers_may_stand_in_the_environment(tmp_path: Path, name: str) -> None:
    load(tmp_path, {name: "a-key"})


def test_a_broken_file_is_refused_without_quoting_it(tmp_path: Path) -> None:
    write(tmp_path, '[keys]\npassphrase = "hunter2\n')
    with pytest.raises(ConfigError, match=r"not TOML\. Look at line 2 of securevec\.toml\.$") as caught:
        load(tmp_path)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "overrides",
    [
        {"embed_threads": 0},
        {"detect_recall": "highest"},
        {"detect_engine": "re3"},
        {"detect_names": "huge"},
        {"key_suite": "rot13"},
        {"key_cache_ttl": 3601},
        {"key_cache_ttl": -1},
        {"embed_threads": True},
        {"embed_threads": "two"},
        {"embed_model": "gpt"},
        {"key_provider": "hsm"},
        {"backend": "Edge!"},
        {"backend": 3},
        {"plain_http_hosts": "http://db"},
        {"plain_http_hosts": "db, db2"},
        {"plain_http_hosts": ["db", 3]},
        {"plain_http_hosts": 3},
        {"home": "a\0b"},
        {"home": "~no-such-user-here/x"},
        {"key_provider": "passphrase", "key_file": "k"},
    ],
)
def test_a_value_that_cannot_be_used_is_refused(tmp_path: Path, overrides: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        load_settings(env={}, overrides=overrides, directory=tmp_path)


def test_a_named_file_that_is_absent_or_not_a_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(ConfigError, match="does not exist"):
            load_settings(config_file=path, env={})


def test_the_file_in_a_home_cannot_move_the_home(tmp_path: Path) -> None:
    write(tmp_path, '[store]\nhome = "elsewhere"\n')
    (tmp_path / "cwd").mkdir()
    with pytest.raises(ConfigError, match="another home"):
        load(tmp_path / "cwd", {"SECUREVEC_HOME": str(tmp_path)})


def test_the_passphrase_comes_from_the_variable_or_the_file_it_names(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("correct horse\n")
    file.chmod(0o600)
    assert read_passphrase({"SECUREVEC_PASSPHRASE": "a b"}) == "a b"
    assert read_passphrase({"SECUREVEC_PASSPHRASE_FILE": str(file)}) == "correct horse"


def test_a_passphrase_that_is_absent_doubled_unreadable_or_open_to_others_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(b"hunter2\xff")
    file.chmod(0o644)
    named = {"SECUREVEC_PASSPHRASE_FILE": str(file)}
    with pytest.raises(ConfigError, match="No passphrase"):
        read_passphrase({})
    with pytest.raises(ConfigError, match="Keep one"):
        read_passphrase({**named, "SECUREVEC_PASSPHRASE": "x"})
    with pytest.raises(ConfigError, match="open to others"):
        read_passphrase(named)
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        read_passphrase(named)
    assert caught.value.__context__ is None
    with pytest.raises(ConfigError, match="cannot be read"):
        read_passphrase({"SECUREVEC_PASSPHRASE_FILE": str(tmp_path / "absent")})


@pytest.mark.parametrize(("said", "means"), [("true", True), ("false", False), ('"true"', True)])
def test_a_list_of_models_is_required_where_it_is_said(tmp_path: Path, said: str, means: bool) -> None:
    write(tmp_path, f"[models]\nrequired = {said}\n")
    assert load(tmp_path, {}).models_required is means


@pytest.mark.parametrize("said", ["1", '"yes"', '"True"', "[]"])
def test_what_is_neither_true_nor_false_is_refused(tmp_path: Path, said: str) -> None:
    write(tmp_path, f"[models]\nrequired = {said}\n")
    with pytest.raises(ConfigError, match=r"models\.required"):
        load(tmp_path, {})


def test_settings_that_cannot_be_seen_are_not_passed_over(tmp_path: Path) -> None:
    """They might say what must not be left out, as that a list of models is required."""
    with pytest.raises(ConfigError, match="cannot be seen"):
        load_settings(env={}, overrides={"home": tmp_path / ("h" * 300)}, directory=tmp_path)
