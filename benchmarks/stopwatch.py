"""CPU time by stage: functions are wrapped where the code under measurement looks them up."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any


@dataclass
class Stopwatch:
    """CPU seconds of this process spent in each stage; a stage inside another counts for the inner one only."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _open: list[str] = field(default_factory=list)
    _since: float = 0.0

    def wrap(self, owner: Any, name: str, stage: str) -> None:
        """From now on calls of `owner.name` count as `stage`."""
        function = getattr(owner, name)
        setattr(owner, name, self._counted(function, stage))

    @contextmanager
    def stage(self, stage: str) -> Iterator[None]:
        """Count what happens inside as `stage`."""
        self._book()
        self._open.append(stage)
        try:
            yield
        finally:
            self._book()
            self._open.pop()

    def _counted(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            with self.stage(stage):
                return function(*args, **kwargs)

        return counted

    def _book(self) -> None:
        now = time.process_time()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now
