"""`certctl template`: look at faces as data before they meet a citizen."""

from __future__ import annotations
