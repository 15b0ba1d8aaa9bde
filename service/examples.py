"""Examples in the OpenAPI description: complete requests from the catalogue, so that they cannot go stale."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from certlib.catalogue import example
from certlib.catalogue.examples import existing

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
        "PublicQuestion": {
            "number": {
                "summary": "编号与校验码",
                "value": {"number": "赣虔药监械经营许20260001号", "check": "12345678"},
            },
            "then": {
                "summary": "以前某日终了时的状态",
                "value": {"number": "赣虔药监械经营许20260001号", "check": "12345678", "at": "2026-10-01"},
            },
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
        "BlanksMove": {"allot": {"summary": "窗口领用", "value": _MOVE}},
        "WindowAlignment": {"align": {"summary": "右移 1.5、上移 0.8 毫米", "value": _ALIGNMENT}},
        "SheetAct": {"collect": {"summary": "领取", "value": {"act": "collect", "record": _COLLECTED}}},
        "ServiceRecord": {
            "post": {"summary": "邮寄送达", "value": {"way": "post", **_SERVED_AT, **_POSTED}},
            "electronic": {"summary": "电子送达（经同意）", "value": {"way": "electronic", **_SERVED_AT, **_SENT}},
        },
        "ImportRequest": {"existing": {"summary": "存量证照", "value": _import(now)}},
        "MassProposal": {"withdraw": {"summary": "撤回一类许可", "value": _mass()}},
        "ErasureRequest": {"holder": {"summary": "本人申请", "value": _ERASURE}},
        "Person": {"person": {"summary": "复核人", "value": {"person": "李明"}}},
        "SealBeginning": {"apply": {"summary": "申请 3号章", "value": _SEAL_APPLICATION}},
        "SealAct": {"suspend": {"summary": "停用", "value": _SEAL_SUSPENSION}},
        "SealStamp": {"sheet": {"summary": "加盖一张", "value": {"sheet": 1, "person": "李明"}}},
        "SealPictureWish": {"filing": {"summary": "印模备案", "value": _SEAL_PICTURE}},
        "SealAuthorisation": {"limited": {"summary": "限 100 次", "value": _authorisation(now)}},
        "SealAuthorisationEnd": {"end": {"summary": "终止", "value": {**_SEAL_PERSON, "reason": "不再需要"}}},
        "AuditSearch": {
            "person": {"summary": "某人经手的用印", "value": {"person": "李明", "since": "2026-01-01"}},
            "number": {"summary": "按编号", "value": {"number": "赣虔药监械经营许20260001号"}},
        },
        "DeliveryRepair": {
            "all": {"summary": "重推全部", "value": {"reason": "证照库已修复"}},
            "some": {"summary": "重推某几条", "value": {"ids": [7, 8], "reason": "目录已更新"}},
        },
        "WebhookReplay": {
            "dead": {"summary": "重放全部死信", "value": {"dead": True, "reason": "对方已修复"}},
            "ids": {"summary": "重放某几个事件", "value": {"ids": [_EVENT], "reason": "对方丢失数据"}},
            "span": {"summary": "重放一段时间", "value": {**_SPAN, "reason": "对方从备份恢复"}},
        },
        "FileDigest": {"digest": {"summary": "只查指纹", "value": {"sha256": "0" * 64}}},
    }


_EVENT = "evt_6f1d0c3e9a5b4d2c8e7f0a1b2c3d4e5f"
_SPAN = {"since": "2026-04-01T00:00:00+08:00", "until": "2026-04-02T00:00:00+08:00"}
_SERVED_AT = {"served_at": "2026-04-01T10:00:00+08:00"}
_POSTED = {"recipient": "陈志远", "tracking": "1180000000001", "receipt": "邮政回执 1180000000001"}
_SENT = {"consent": "送达地址确认书 2026-18", "address": "赣服通", "receipt": "S-20260401-0001"}
_MOVE = {"act": "allot", "first": "A000001", "last": "A000050", "window": "一号窗口", "person": "李明"}
_ALIGNMENT = {"window": "一号窗口", "x": 1.5, "y": -0.8, "person": "李明"}
_COLLECTED = {"collector": "陈志远", "relation": "holder", "document": "居民身份证", "receipt": "送达〔2026〕1号"}


def _import(now: datetime) -> dict[str, Any]:
    """An existing certificate with its source."""
    raw = existing("2-26", now=now)
    own = {
        "decision": {"kind": "ex-officio", "authority": "ganzhou-approval", "basis": "存量证照补录", "grounds": "归档"},
        "second_person": "李明",
        "issued_on": raw["valid_from"],
        "source": "市行政审批局档案 2022-118",
        "scan_sha256": "ab" * 32,
    }
    return {**{key: value for key, value in raw.items() if key not in {"item", "case", "decision"}}, **own}


def _mass() -> dict[str, Any]:
    """A law has changed."""
    decision = {
        "kind": "ex-officio",
        "authority": "ganzhou-approval",
        "basis": "《中华人民共和国行政许可法》第八条",
        "grounds": "法律修改，本类许可取消",
    }
    return {
        "action": "withdraw",
        "request": {"decision": decision, "cause": "law-changed"},
        "where": {"type": "medical-device-licence", "issued_until": "2026-01-31"},
        "person": "王芳",
        "reason": "法律修改",
        "dry_run": True,
    }


_ERASURE = {
    "subject": "91360703MA35FQ5T00",
    "grounds": "个人信息保护法第四十七条，本人申请",
    "person": "王五",
    "second_person": "赵六",
}
_SEAL_PERSON = {"person": "李明", "document_number": "赣市行审印〔2026〕1号"}
_SEAL_APPLICATION = {
    "act": "apply",
    **_SEAL_PERSON,
    "seal": {
        "id": "36070000000023",
        "authority": "ganzhou-approval",
        "kind": "approval",
        "copy": 3,
        "keeper": "三号窗口",
    },
}
_SEAL_PICTURE = {**_SEAL_PERSON, "second_person": "王芳", "reason": "印模备案"}
_SEAL_SUSPENSION = {"act": "suspend", **_SEAL_PERSON, "cause": "inspection"}


def _authorisation(now: datetime) -> dict[str, Any]:
    return {
        "id": "ZS-2026-1",
        "authority": "ganzhou-approval",
        "items": [ITEM],
        "since": now.isoformat(timespec="seconds"),
        "until": (now + timedelta(days=365)).isoformat(timespec="seconds"),
        "limit": 100,
        "basis": "赣市行审〔2026〕8号",
        **_SEAL_PERSON,
        "second_person": "王芳",
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
