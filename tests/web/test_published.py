"""Public bytes kept for a moment: made once for a crowd, and never older than the moment twice."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.published import Shelf


def test_a_crowd_has_it_made_once() -> None:
    """Forty callers at once when nothing is kept: one makes it, all get it."""
    shelf, made = Shelf(moment=60), []

    def make() -> bytes:
        made.append(1)
        time.sleep(0.05)
        return b"list"

    with ThreadPoolExecutor(40) as pool:
        found = list(pool.map(lambda _: shelf.get("status/0", make).data, range(40)))
    assert (set(found), len(made)) == ({b"list"}, 1)


def test_while_it_is_made_anew_the_others_get_what_is_kept() -> None:
    """They do not wait; the one who makes it gets the new."""
    shelf, begun, go = Shelf(moment=0.2), threading.Event(), threading.Event()
    shelf.get("trust", lambda: b"old")
    time.sleep(0.25)

    def make() -> bytes:
        begun.set()
        go.wait(5)
        return b"new"

    with ThreadPoolExecutor(1) as pool:
        maker = pool.submit(lambda: shelf.get("trust", make).data)
        assert begun.wait(5)
        assert shelf.get("trust", make).data == b"old"
        go.set()
        assert maker.result(5) == b"new"
    assert shelf.get("trust", make).data == b"new"


def test_what_is_too_old_is_waited_for() -> None:
    """Beyond two moments nobody gets the old one."""
    shelf = Shelf(moment=0.01)
    shelf.get("trust", lambda: b"old")
    time.sleep(0.05)
    assert shelf.fresh("trust") is None
    assert shelf.get("trust", lambda: b"new").data == b"new"


def test_a_failure_is_not_kept() -> None:
    """The next caller tries again."""
    shelf = Shelf(moment=60)
    with pytest.raises(RuntimeError):
        shelf.get("trust", _broken)
    assert shelf.get("trust", lambda: b"list").data == b"list"


def _broken() -> bytes:
    raise RuntimeError


def test_names_without_end_do_not_fill_the_memory() -> None:
    """Beyond a thousand names the shelf begins anew."""
    shelf = Shelf(moment=60)
    for name in range(2500):
        shelf.get(str(name), lambda: b"x")
    assert len(shelf._kept) <= 1000
