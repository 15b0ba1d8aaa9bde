"""Examples in the OpenAPI description: complete requests from the catalogue, so that they cannot go stale."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from certlib.catalogue import example

ITEM = "2-25"


def request_examples(now: datetime) -> Mapping[str, Any]:
    """Examples by the name of the request's shape, as if asked for at `now`."""
    issue = example(ITEM, now=now)
    return {
        "IssueRequest": {"issue": {"summary": f"事项 {ITEM}", "value": issue}},
        "ActRequest": {"suspend": {"summary": "暂扣（凭他机关文书）", "value": _suspension()}},
        "BatchRequest": {"two": {"summary": "两行", "value": {"lines": [issue, {"operation": "issue", **issue}]}}},
        "PrintRequest": {
            "window": {"summary": "窗口打印", "value": {"identifier": _IDENTIFIER, "purpose": "窗口打印"}}
        },
        "BlanksRequest": {"range": {"summary": "入库 500 张", "value": _BLANKS}},
        "PublicLookup": {
            "number": {
                "summary": "编号与校验码",
                "value": {"number": "赣虔药监械经营许20260001号", "check": "12345678"},
            }
        },
        "MatchRequest": {
            "number": {
                "summary": "编号与校验码",
                "value": {
                    "number": "赣虔药监械经营许20260001号",
                    "check": "7K3M-9Q2X",
                    "name": "欧阳建国",
                    "last_four": "002X",
                },
            }
        },
        "InspectionRequest": {
            "number": {
                "summary": "编号与校验码",
                "value": {
                    "number": "赣虔药监械经营许20260001号",
                    "check": "7K3M-9Q2X",
                    "officer": "李明（赣B0001）",
                    "purpose": "日常监督检查",
                },
            }
        },
        "FileDigest": {"digest": {"summary": "只查指纹", "value": {"sha256": "0" * 64}}},
    }


_IDENTIFIER = "1.2.156.3005.2.11100000MB0341032Y001.11360700MB0000027R.2026000001.001.X"
_BLANKS = {"type": "medical-device-licence", "first": "A000001", "last": "A000500", "person": "李明", "witness": "王芳"}


def _suspension() -> dict[str, Any]:
    return {
        "action": "suspend",
        "decision": {
            "kind": "other-authority",
            "authority": "赣州市市场监督管理局",
            "document_number": "赣市监罚〔2026〕18号",
            "decided_at": "2026-06-01T10:00:00+08:00",
            "file_sha256": "0" * 64,
            "grounds": "责令停业整顿",
        },
        "cause": "责令停业整顿期间暂扣许可证件",
        "evidence": ["行政处罚决定书"],
    }
