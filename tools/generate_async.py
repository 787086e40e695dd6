"""Write ``securevec/aio/{collection,tenant,store,models}.py`` from the synchronous classes. ``--check`` only compares.

Signatures are taken over as they are written; what a call returns is wrapped where it can do more (a tenant, a
collection, hits). A few calls need more than that: their texts stand here.

    python tools/generate_async.py [--check]
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
STORE: Final = "securevec.store"


@dataclass(frozen=True)
class Twin:
    """One class: where it and its bases stand, what is left out, and what is written by hand."""

    name: str
    module: str
    bases: tuple[tuple[str, str], ...] = ()
    says: str = ""
    generic: str = ""
    leave_out: tuple[str, ...] = ()
    by_hand: dict[str, str] = field(default_factory=dict)
    imports: tuple[str, ...] = ()
    inherits: str = ""
    """A twin that this one is made of besides: what would be too long for one file stands in its own."""
    held: str = "_sync"
    """The attribute that holds the synchronous object."""

    @property
    def public(self) -> str:
        """The class that users know these calls from."""
        return "SecureStore" if self.name == "StoreModels" else self.name

    @property
    def path(self) -> Path:
        short = {"Collection": "collection", "Tenant": "tenant", "SecureStore": "store", "StoreModels": "models"}[
            self.name
        ]
        return ROOT / "securevec" / "aio" / f"{short}.py"


INGEST: Final = '''
    async def ingest({parameters}) -> IngestReport:
        """{says}

        The source may be asynchronous too. ``progress`` is called on the loop.
        """
        call = functools.partial(
            self._sync.ingest, vectors=vectors, vectors_of=vectors_of, progress=on_loop(progress)
        )
        if isinstance(source, AsyncIterable):
            return await self._bridge.run_fed(call, source)
        return await self._bridge.run(call, source)
'''
ITER: Final = '''
    async def iter({parameters}) -> AsyncIterator[R]:
        """{says}"""
        cursor: str | None = None
        while True:
            page = await self.page(where=where, cursor=cursor, limit=page_size)
            for record in page.records:
                yield record
            if (cursor := page.cursor) is None:
                return
'''
OPEN: Final = '''
    @classmethod
    def open({parameters}, threads: int = THREADS) -> Opening[AsyncSecureStore]:
        """{says}

        Await what this returns, or enter it with ``async with``. ``threads`` is how many calls run at once.
        """

        async def opened() -> AsyncSecureStore:
            bridge = Bridge(threads)
            call = functools.partial(SecureStore.open, {arguments})
            try:
                return cls(bridge, await bridge.acquire(call, SecureStore.close))
            except BaseException:
                bridge.close()
                raise

        return Opening(opened)
'''
CLOSE: Final = '''
    async def close(self) -> None:
        """{says}"""
        await self._bridge.end(self._sync.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
'''

TWINS: Final = (
    Twin(
        "Collection",
        f"{STORE}.collection",
        bases=(
            (f"{STORE}.writes", "CollectionWrites"),
            (f"{STORE}.values", "CollectionValues"),
            (f"{STORE}.measures", "CollectionMeasures"),
        ),
        says="A collection handle for coroutines: :class:`securevec.Collection`, each call awaited.",
        generic="[R]",
        by_hand={"ingest": INGEST, "iter": ITER},
        imports=(
            "import functools",
            "from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping",
            "from typing import Generic, TypeVar",
            "from securevec.aio.bridge import Bridge, on_loop",
            "from securevec.aio.result import AsyncSearchResult",
            "from securevec.store.collection import Collection",
            'R = TypeVar("R", bound=Record)',
        ),
    ),
    Twin(
        "Tenant",
        f"{STORE}.tenant",
        bases=((f"{STORE}.lifetimes", "TenantLifetimes"),),
        says="A tenant handle for coroutines: :class:`securevec.Tenant`, each call awaited.",
        imports=(
            "from typing import TypeVar",
            "from securevec.aio.bridge import Bridge, on_loop",
            "from securevec.aio.collection import AsyncCollection",
            "from securevec.store.tenant import Tenant",
            'R = TypeVar("R", bound=Record)',
        ),
    ),
    Twin(
        "StoreModels",
        f"{STORE}.models",
        says="The list of models, for coroutines: a part of :class:`securevec.aio.AsyncSecureStore`.",
        held="_models",
        imports=(
            "from securevec.aio.bridge import Bridge",
            "from securevec.store.models import StoreModels",
        ),
    ),
    Twin(
        "SecureStore",
        f"{STORE}.secure_store",
        bases=(
            (f"{STORE}.importing", "StoreImports"),
            (f"{STORE}.lifetimes", "StoreLifetimes"),
            (f"{STORE}.rekeying", "StoreKeys"),
        ),
        says="One home, opened, for coroutines: :class:`securevec.SecureStore`, each call awaited.\n\n"
        "    Tied to no event loop: several may use it. Not for use across ``fork``.",
        inherits="AsyncStoreModels",
        leave_out=("runtime",),
        by_hand={"open": OPEN, "close": CLOSE},
        imports=(
            "import functools",
            "from types import TracebackType",
            "from typing import Self",
            "from securevec.aio.bridge import THREADS, Bridge, on_loop",
            "from securevec.aio.models import AsyncStoreModels",
            "from securevec.aio.opening import Opening",
            "from securevec.aio.tenant import AsyncTenant",
            "from securevec.store.secure_store import SecureStore",
        ),
    ),
)


def parsed(module: str) -> ast.Module:
    return ast.parse((ROOT / Path(*module.split("."))).with_suffix(".py").read_text())


def class_of(tree: ast.Module, name: str) -> ast.ClassDef:
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def is_property(method: ast.FunctionDef) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == "property" for mark in method.decorator_list)


def summary(method: ast.FunctionDef, owner: str) -> str:
    """The first paragraph of the docstring, and where the rest is."""
    text = ast.get_docstring(method) or ""
    first = "\n".join(f"        {line}" if line else "" for line in text.split("\n\n")[0].splitlines()).strip()
    more = f"\n\n        See :meth:`securevec.{owner}.{method.name}`." if "\n\n" in text else ""
    return first + (more + "\n        " if more else "")


def parameters(arguments: ast.arguments, *, asynchronous_source: bool) -> str:
    text = ast.unparse(arguments)
    if asynchronous_source:
        text = text.replace("source: Source", "source: Source | AsyncIterable[Mapping[str, object] | Record]")
    return text


def passed_on(arguments: ast.arguments) -> str:
    """The arguments of the call, progress on the loop."""
    given = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)][1:]
    if arguments.vararg is not None:
        given.append(f"*{arguments.vararg.arg}")
    for argument in arguments.kwonlyargs:
        value = f"on_loop({argument.arg})" if argument.arg == "progress" else argument.arg
        given.append(f"{argument.arg}={value}")
    if arguments.kwarg is not None:
        given.append(f"**{arguments.kwarg.arg}")
    return ", ".join(given)


def wrapped(returns: str, call: str) -> tuple[str, str]:
    """The awaited type, and the expression that makes it."""
    for plain in ("Tenant", "Collection", "SearchResult"):
        if returns == plain or returns.startswith(f"{plain}["):
            return f"Async{returns}", f"Async{plain}(self._bridge, await {call})"
        if returns.startswith(f"list[{plain}["):
            return returns.replace(
                plain, f"Async{plain}"
            ), f"[Async{plain}(self._bridge, each) for each in await {call}]"
    return returns, f"await {call}"


def twin_of(method: ast.FunctionDef, twin: Twin) -> str:
    returns = ast.unparse(method.returns) if method.returns is not None else "None"
    if is_property(method):
        return (
            f"    @property\n    def {method.name}(self) -> {returns}:\n        return self.{twin.held}.{method.name}\n"
        )
    says = summary(method, twin.public)
    signature = parameters(method.args, asynchronous_source=method.name == "ingest")
    template = twin.by_hand.get(method.name)
    if template is not None:
        return (
            template.format(parameters=signature, says=says.rstrip(), arguments=passed_on(method.args)).strip("\n")
            + "\n"
        )
    arguments = passed_on(method.args)
    call = f"self._bridge.run(self.{twin.held}.{method.name}{', ' if arguments else ''}{arguments})"
    returns, made = wrapped(returns, call)
    answer = made if returns == "None" else f"return {made}"
    return f'    async def {method.name}({signature}) -> {returns}:\n        """{says}"""\n        {answer}\n'


def imports_for(body: str, modules: list[str]) -> list[str]:
    """Import lines for the names that the written code uses, from where the synchronous modules take them."""
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    lines: list[str] = []
    for module in modules:
        for node in parsed(module).body:
            if isinstance(node, ast.ImportFrom):
                lines += [f"from {node.module} import {each.name}" for each in node.names if each.name in used]
            elif isinstance(node, ast.AnnAssign | ast.Assign):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                if isinstance(target, ast.Name) and target.id in used and target.id != "R":
                    lines.append(f"from {module} import {target.id}")
    return lines


def written(twin: Twin) -> str:
    """The module of one class, before formatting."""
    methods: list[str] = []
    seen: set[str] = set()
    modules = [twin.module, *(module for module, _ in twin.bases)]
    for module, name in ((twin.module, twin.name), *twin.bases):
        for node in class_of(parsed(module), name).body:
            public = isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
            if not isinstance(node, ast.FunctionDef) or not public or node.name in {*seen, *twin.leave_out}:
                continue
            seen.add(node.name)
            methods.append(twin_of(node, twin))
    base = "(Generic[R])" if twin.generic else f"({twin.inherits})" if twin.inherits else ""
    first = "super().__init__(bridge, sync)" if twin.inherits else "self._bridge = bridge"
    body = f'''class Async{twin.name}{base}:
    """{twin.says}"""

    def __init__(self, bridge: Bridge, sync: {twin.name}{twin.generic}) -> None:
        {first}
        self.{twin.held} = sync

    def __repr__(self) -> str:
        return f"Async{{self.{twin.held}!r}}"

''' + "\n".join(methods)
    head = [line for line in twin.imports if not line.startswith("R =")]
    variables = [line for line in twin.imports if line.startswith("R =")]
    found = imports_for(body + "\n".join(variables), modules)
    return "\n".join(
        [
            f'"""Written by ``tools/generate_async.py`` from :class:`securevec.{twin.public}`: change that class."""',
            "",
            "from __future__ import annotations",
            "",
            *sorted({*head, *found}),
            "",
            *variables,
            "",
            "",
            body,
        ]
    )


def formatted(text: str, path: Path) -> str:
    for command in (["check", "--fix", "--quiet", "--select", "I,F401,UP"], ["format", "--quiet"]):
        done = subprocess.run(  # noqa: S603  # our own tool on our own text
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(path), "-"],
            input=text,
            text=True,
            capture_output=True,
            check=False,
            cwd=ROOT,
        )
        if done.returncode:
            raise SystemExit(done.stderr or done.stdout)
        text = done.stdout
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file would change")
    check = parser.parse_args().check
    stale = []
    for twin in TWINS:
        text = formatted(written(twin), twin.path)
        if twin.path.exists() and twin.path.read_text() == text:
            continue
        stale.append(twin.path.name)
        if not check:
            twin.path.write_text(text)
    if stale:
        print(f"{'not up to date' if check else 'written'}: {', '.join(stale)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
