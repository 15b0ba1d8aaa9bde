"""The story as requests: rows of `story.toml` laid over the catalogue's examples, with dates around `now`."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from certlib.catalogue import example
from certlib.domain.civil import SHANGHAI, civil_date

Row = Mapping[str, Any]
_BEFORE = {
    "acceptance": timedelta(minutes=30),
    "review": timedelta(minutes=20),
    "approval": timedelta(minutes=10),
}


@dataclass(frozen=True, slots=True)
class Story:
    """The rows: what is applied for, and what happens to it afterwards."""

    certificates: tuple[Row, ...]
    documents: tuple[Row, ...]
    receipts: tuple[Row, ...]
    acts: tuple[Row, ...]


def read_story() -> Story:
    """The story that is shipped."""
    rows = tomllib.loads((files("service.demo") / "story.toml").read_text(encoding="utf-8"))
    return Story(tuple(rows["certificate"]), tuple(rows["document"]), tuple(rows["receipt"]), tuple(rows["act"]))


@dataclass(frozen=True, slots=True)
class Script:
    """Makes requests that might have been decided in the last days and hours before `now`."""

    now: datetime

    def certificate(self, row: Row, serial: int) -> dict[str, Any]:
        """A request for a certificate."""
        request = self._request(row, serial)
        if days := row.get("valid_days"):
            request["valid_until"] = (civil_date(self.now) + timedelta(days=days)).isoformat()
        return request

    def document(self, row: Row, serial: int) -> dict[str, Any]:
        """A request for a document or a receipt."""
        return {**self._request(row, serial), "type": row["type"]}

    def act(self, row: Row, serial: int) -> dict[str, Any]:
        """A request for an action: on application, ex officio, or by another authority's document."""
        request = {key: row[key] for key in ("facts", "cause", "second_person", "evidence") if key in row}
        if "item" in row:
            decision = self._hurried(example(row["item"], now=self.now)["decision"])
            return {**request, "item": row["item"], "case": self._case(serial), "decision": decision}
        return {**request, "decision": self._order(row) if "order" in row else self._ex_officio(row)}

    def order_text(self, row: Row) -> str:
        """The other authority's document that an act rests on, as it would have come to the city."""
        order = row["order"]
        day = civil_date(self.now)
        return f"{order['authority']}\n{self._number(order['number'])}\n\n{order['grounds']}。\n\n{day}\n"

    def _request(self, row: Row, serial: int) -> dict[str, Any]:
        request = example(row["item"], now=self.now, variant=serial, kind=row.get("type", ""))
        name, code = row["holder"]
        facts = {**request["facts"], **row.get("facts", {})}
        facts |= {key: value for key, value in _of_holder(name, code).items() if key in facts}
        case = self._case(serial)
        facts |= {key: value for key, value in {"case": case["number"]}.items() if key in facts}
        return {**request, "case": case, "facts": facts, "holder": {"name": name, "code": code}}

    def _hurried(self, decision: Mapping[str, Any]) -> dict[str, Any]:
        """The same steps within the last half hour, since what they are about was issued a moment ago."""
        steps = {step: {**decision[step], "at": self._text(self.now - before)} for step, before in _BEFORE.items()}
        return {**decision, **steps}

    def _order(self, row: Row) -> dict[str, Any]:
        order = row["order"]
        return {
            "kind": "other-authority",
            "authority": order["authority"],
            "document_number": self._number(order["number"]),
            "decided_at": self._text(self.now - timedelta(minutes=40)),
            "grounds": order["grounds"],
            "file_sha256": hashlib.sha256(self.order_text(row).encode()).hexdigest(),
        }

    def _ex_officio(self, row: Row) -> dict[str, Any]:
        return {
            "kind": "ex-officio",
            "authority": row["authority"],
            "basis": row["basis"],
            "grounds": row["grounds"],
            "decided_at": self._text(self.now - timedelta(minutes=10)),
        }

    def _case(self, serial: int) -> dict[str, str]:
        return {"number": f"RJ{civil_date(self.now):%Y%m%d}-{serial:04}"}

    def _number(self, number: str) -> str:
        return number.replace("〔〕", f"〔{civil_date(self.now).year}〕")

    def _text(self, at: datetime) -> str:
        return at.astimezone(SHANGHAI).isoformat(timespec="seconds")


def _of_holder(name: str, code: str) -> dict[str, str]:
    """The facts that repeat the holder."""
    named = dict.fromkeys(("enterprise_name", "builder", "applicant"), name)
    return named | dict.fromkeys(("uscc", "applicant_code"), code)
