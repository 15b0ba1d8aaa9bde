"""Switching faults on and off, in development only."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field

from city_repository.bodies import Closed
from city_repository.faults import Fault, FaultPlan
from city_repository.routes.access import CallRefused, Here

router = APIRouter(prefix="/control", tags=["故障开关"], include_in_schema=False)
Kind = Literal["slow", "timeout", "error", "reset", "lost-ack", "duplicate", "reorder", "lose", "reject", "down"]


class FaultLine(Closed):
    """One fault: its share of pushes, its seconds where it has any, and after how many it ends by itself (0: never)."""

    kind: Kind
    share: float = Field(1.0, ge=0, le=1)
    seconds: float = Field(1.0, ge=0, le=3600)
    lasts: float = Field(0.0, ge=0, le=86_400)


class FaultsBody(Closed):
    """The faults to be on from now on."""

    faults: list[FaultLine]
    seed: int = 0


class FaultsAnswer(FaultsBody):
    """What is on, and how often it struck."""

    befallen: dict[str, int]


@router.put("/faults")
def switch(body: FaultsBody, here: Here, request: Request) -> FaultsAnswer:
    """Switch these faults on and all others off."""
    plan = _plan(here.settings.in_development, request)
    plan.set(tuple(Fault(line.kind, line.share, line.seconds, line.lasts) for line in body.faults), body.seed)
    return _answer(plan)


@router.get("/faults")
def show(here: Here, request: Request) -> FaultsAnswer:
    """What is on, and how often it struck."""
    return _answer(_plan(here.settings.in_development, request))


def _plan(development: bool, request: Request) -> FaultPlan:
    if not development:
        raise CallRefused(404, "not_found", "没有此接口")
    plan: FaultPlan = request.app.state.faults
    return plan


def _answer(plan: FaultPlan) -> FaultsAnswer:
    lines = [
        FaultLine(kind=_kind(fault.kind), share=fault.share, seconds=fault.seconds, lasts=fault.lasts)
        for fault in plan.faults
    ]
    return FaultsAnswer(faults=lines, seed=plan.seed, befallen=plan.befallen)


def _kind(kind: str) -> Kind:
    return FaultLine.model_validate({"kind": kind}).kind
