"""Requests about seals as they come: acts, authorisations, stamps on paper; every fault of a request at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from certlib.catalogue import Catalogue, check_text
from certlib.crypto.certificates import Certificate, load_certificates
from certlib.domain.actions import Action
from certlib.domain.kinds import Authority
from certlib.domain.seal import SealAuthorisation, SealCentre, SealKind, SealSpec
from certlib.domain.seal_life import SealAct, SealCommand
from certlib.errors import ConfigurationError, Fault, RenderError, RequestError
from certlib.issue.requests import Reading
from certlib.sealing.picture import NO_EMBLEM, seal_picture

LABELS: Mapping[str, str] = {
    "act": "办理事项",
    "person": "经办人",
    "second_person": "复核人",
    "document_number": "依据文号",
    "cause": "事由",
    "compromised_since": "密钥泄露时间",
    "certificates": "证书",
    "maker": "制作单位",
    "filing_number": "备案号",
    "keeper": "保管人",
    "seal": "印章",
    "seal.id": "印章编号",
    "seal.authority": "所属机关",
    "seal.kind": "印章种类",
    "seal.copy": "印章序号",
    "seal.name": "印章名称",
    "seal.arc_text": "环行文字",
    "seal.lines": "横排文字",
    "seal.diameter": "直径",
    "seal.keeper": "保管人",
    "id": "授权编号",
    "authority": "决定机关",
    "items": "事项",
    "types": "文书种类",
    "actions": "办理情形",
    "persons": "批准人",
    "since": "起",
    "until": "止",
    "limit": "次数",
    "approvers": "批准人数",
    "basis": "依据",
    "reason": "理由",
    "sheet": "实体证照",
    "document": "文书",
    "copies": "份数",
}
_SEAL_ID = re.compile(r"[0-9]{14}")
_AUTHORISATION_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._\-〔〕]{2,59}")
SMALLEST, LARGEST = 30.0, 45.0  # millimetres: 国发〔1999〕25号 allows a department 4.5 cm at most
_MOST_LIMIT = 1_000_000
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # stands in for a time that is missing, which is a fault


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest:
    """An act asked for on a seal. `spec` is the seal's data as asked for, for those acts that state it."""

    command: SealCommand
    spec: Mapping[str, Any]
    certificates: tuple[tuple[Certificate, ...], ...] | None  # None: those in the folder of keys
    maker: str
    filing: str
    keeper: str
    faults: tuple[Fault, ...]


# What each act may state besides who, on which document and why.
_PARTS: Mapping[SealAct, frozenset[str]] = {
    SealAct.APPLY: frozenset({"seal"}),
    SealAct.ACCEDE: frozenset({"seal", "certificates", "maker", "filing_number"}),
    SealAct.MAKE: frozenset({"certificates", "maker"}),
    SealAct.FILE: frozenset({"filing_number"}),
    SealAct.RENEW: frozenset({"seal", "certificates", "maker", "filing_number"}),
    SealAct.ENABLE: frozenset({"keeper"}),
    SealAct.RESUME: frozenset({"keeper"}),
    SealAct.REVOKE: frozenset({"compromised_since"}),
}


def read_act(raw: object) -> SealRequest:
    """Read an act. Raises `RequestError` when it does not say which act it is; other faults go with the request."""
    reading = Reading(raw)
    act: SealAct | None = reading.choice("act", SealAct, None)
    if act is None:
        raise RequestError(labelled(reading.faults))
    parts = _PARTS.get(act, frozenset())
    command = SealCommand(
        act=act,
        person=reading.text("person"),
        second_person=reading.text("second_person", required=False),
        document=reading.text("document_number"),
        cause=reading.text("cause", required=False),
        compromised_since=reading.moment("compromised_since", required=False) if "compromised_since" in parts else None,
    )
    request = SealRequest(
        command=command,
        spec=reading.mapping("seal", required=act is SealAct.APPLY) if "seal" in parts else {},
        certificates=_certificates(reading) if "certificates" in parts else (),
        maker=reading.text("maker", required=act is SealAct.MAKE) if "maker" in parts else "",
        filing=reading.text("filing_number", required=act is SealAct.FILE) if "filing_number" in parts else "",
        keeper=reading.text("keeper", required=False) if "keeper" in parts else "",
        faults=(),
    )
    reading.close()
    named = {"person": command.person, "second_person": command.second_person, "maker": request.maker}
    faults = [*reading.faults, *_text_faults({**named, "keeper": request.keeper, "filing_number": request.filing})]
    return replace(request, faults=tuple(labelled(faults)))


def _certificates(reading: Reading) -> tuple[tuple[Certificate, ...], ...] | None:
    if "certificates" not in reading:
        return None
    found = []
    for index, text in enumerate(reading.texts("certificates")):
        try:
            found.append(load_certificates(text.encode(), name=f"第 {index + 1} 份"))
        except ConfigurationError as error:
            english = "Not a PEM text with X.509 certificates."
            reading.faults.append(fault(f"certificates.{index}", "not-a-certificate", error.message, english))
    return tuple(found)


def read_spec(
    values: Mapping[str, Any], catalogue: Catalogue, known: SealSpec | None, *, emblem: str = ""
) -> tuple[SealSpec, list[Fault]]:
    """The seal's data: `known` (the catalogue's, or the edition before) with what the request says over it.

    `emblem` is the office's artwork (a data URL), taken where the request states that the centre is the emblem.
    """
    reading = Reading(values, "seal")
    seal = reading.text("id", required=known is None) or (known.id if known else "")
    owner = catalogue.authorities.get(
        reading.text("authority", required=known is None) or (known.authority if known else "")
    )
    kind: SealKind = reading.choice("kind", SealKind, known.kind if known else SealKind.APPROVAL)
    copy: int = reading.number("copy", known.copy if known else 1, least=1, most=99)
    base = known or (standard_spec(seal, owner, kind, copy) if owner else None)
    kept = base.centre if base else SealCentre.STAR.value
    centre = SealCentre(reading.choice("centre", SealCentre, SealCentre(kept))).value
    spec = SealSpec(
        id=seal,
        authority=owner.key if owner else "",
        kind=kind,
        copy=copy,
        name=reading.text("name", required=False) or (base.name if base else ""),
        arc_text=reading.text("arc_text", required=False) or (base.arc_text if base else ""),
        lines=reading.texts("lines") if "lines" in reading else (base.lines if base else ()),
        centre=centre,
        emblem=_artwork(centre, emblem if "centre" in reading else (known.emblem if known else "") or emblem),
        diameter=float(reading.number("diameter", base.diameter if base else 42.0, least=SMALLEST, most=LARGEST)),
        keeper=reading.text("keeper", required=known is None) or (known.keeper if known else ""),
        certificate=base.certificate if base else "",
    )
    reading.close()
    faults = [*reading.faults, *_spec_faults(spec, owner)]
    return spec, labelled(faults)


def _artwork(centre: str, emblem: str) -> str:
    """What is kept with the seal's data: nothing where no artwork is drawn."""
    return emblem if centre == SealCentre.EMBLEM else ""


def standard_spec(seal: str, owner: Authority, kind: SealKind, copy: int) -> SealSpec:
    """A seal of the usual form: the owner's name in an arc, for an approval seal its words and number below."""
    approval = kind is SealKind.APPROVAL
    return SealSpec(
        id=seal,
        authority=owner.key,
        kind=kind,
        copy=copy,
        name=f"{owner.name}行政审批专用章({copy})" if approval else owner.name,
        arc_text=owner.name,
        lines=("行政审批专用章", f"({copy})") if approval else (),
        certificate=f"seal-{owner.key}-{kind.value}-{copy}",
    )


def _spec_faults(spec: SealSpec, owner: Authority | None) -> Iterable[Fault]:
    if spec.id and not _SEAL_ID.fullmatch(spec.id):
        yield fault(
            "seal.id", "bad-seal-id", "应为 14 位数字：6 位区划、8 位序号", "Six digits of area, eight of serial."
        )
    if owner is None:
        yield fault("seal.authority", "unknown-authority", "目录中没有这一机关", "There is no such authority.")
    if spec.centre == SealCentre.EMBLEM and not spec.emblem:
        yield fault("seal.centre", "no-emblem", NO_EMBLEM, "The setting `emblem` names no artwork for the centre.")
    elif spec.arc_text or spec.lines:
        try:
            seal_picture(spec)
        except RenderError as error:
            yield fault("seal.name", "cannot-be-drawn", error.message, "The picture cannot be drawn.")
    yield from _text_faults({"seal.name": spec.name, "seal.keeper": spec.keeper})


def read_authorisation(raw: object, catalogue: Catalogue) -> tuple[SealAuthorisation, dict[str, str]]:
    """An authorisation, and who makes it. Raises `RequestError` with every fault."""
    reading = Reading(raw)
    since, until = reading.moment("since"), reading.moment("until")
    found = SealAuthorisation(
        id=reading.text("id"),
        seal=reading.text("seal"),
        authority=reading.text("authority"),
        since=since.astimezone(UTC) if since else _NEVER,
        until=until.astimezone(UTC) if until else _NEVER + timedelta(days=1),
        basis=reading.text("basis"),
        items=reading.texts("items"),
        types=reading.texts("types"),
        actions=reading.texts("actions"),
        persons=reading.texts("persons"),
        limit=reading.number("limit", 0, least=0, most=_MOST_LIMIT),
        approvers=reading.number("approvers", 1, least=1, most=2),
    )
    record = {key: reading.text(key) for key in ("person", "second_person", "document_number")}
    reading.close()
    faults = [
        *reading.faults,
        *_authorisation_faults(found, catalogue),
        *_text_faults({**record, "basis": found.basis}),
    ]
    if record["person"] and record["person"] == record["second_person"]:
        faults.append(
            fault("second_person", "two-persons", "须双人复核，应为另一人", "Two different persons are needed.")
        )
    if faults:
        raise RequestError(labelled(faults))
    return found, record


def _authorisation_faults(found: SealAuthorisation, catalogue: Catalogue) -> Iterable[Fault]:
    kinds = {*catalogue.certificate_types, *catalogue.document_types}
    unknown: tuple[tuple[str, set[str]], ...] = (
        ("items", set(found.items) - catalogue.items.keys()),
        ("types", set(found.types) - kinds),
        ("actions", set(found.actions) - {action.value for action in Action}),
        ("authority", {found.authority} - catalogue.authorities.keys() - {""}),
    )
    for path, names in unknown:
        if names:
            message = f"没有 {'、'.join(sorted(name[:40] for name in names))}"
            yield fault(path, "unknown-name", message, "There is no such thing.")
    if found.id and not _AUTHORISATION_ID.fullmatch(found.id):
        yield fault("id", "bad-id", "应为 3 至 60 位字母、数字或 ._-〔〕", "3 to 60 letters or digits.")
    if found.since >= found.until:
        yield fault("until", "dates-in-wrong-order", "应晚于起始时间", "Must lie after the beginning.")
    if found.approvers > 1 and 0 < len(set(found.persons)) < found.approvers:
        message = f"须 {found.approvers} 人批准，而只列了 {len(set(found.persons))} 人"
        yield fault("persons", "too-few-persons", message, "Fewer persons than approvers.")


@dataclass(frozen=True, slots=True, kw_only=True)
class StampRequest:
    """Paper stamped by hand: a sheet by its id, or copies of a document by its id or number."""

    sheet: int
    document: str
    copies: int
    seal: str  # empty: the one the electronic file was sealed with
    record: Mapping[str, str]  # person, second_person, reason


def read_stamp(raw: object) -> StampRequest:
    """What was stamped with which seal by whom. Raises `RequestError`."""
    reading = Reading(raw)
    record = {key: reading.text(key, required=key == "person") for key in ("person", "second_person", "reason")}
    request = StampRequest(
        sheet=reading.number("sheet", 0, least=1, most=1 << 53),
        document=reading.text("document", required=False),
        copies=reading.number("copies", 1, least=1, most=99),
        seal=reading.text("seal", required=False),
        record={key: text for key, text in record.items() if text},
    )
    reading.close()
    faults = [*reading.faults, *_text_faults(record)]
    if bool(request.sheet) == bool(request.document):
        faults.append(fault("sheet", "sheet-or-document", "请写明实体证照或文书之一", "Name a sheet or a document."))
    if faults:
        raise RequestError(labelled(faults))
    return request


def read_ending(raw: object) -> dict[str, str]:
    """Who ends an authorisation, on which document and why. Raises `RequestError`."""
    reading = Reading(raw)
    record = {key: reading.text(key) for key in ("person", "document_number", "reason")}
    reading.close()
    if faults := [*reading.faults, *_text_faults(record)]:
        raise RequestError(labelled(faults))
    return record


def fault(path: str, code: str, message: str, english: str) -> Fault:
    """A fault of a request about seals, with the Chinese name of its place."""
    label = LABELS.get(path) or LABELS.get(path.split(".", maxsplit=1)[0], "")
    return Fault(path, code, f"{label}：{message.rstrip('。')}。", label, english)


def labelled(faults: Iterable[Fault]) -> list[Fault]:
    """The same faults under the names that these requests' places have."""
    return [_relabelled(one) if one.path in LABELS else one for one in faults]


def _relabelled(one: Fault) -> Fault:
    label = LABELS[one.path]
    _, _, rest = one.message.partition("：")
    return replace(one, label=label, message=f"{label}：{rest or one.message}")


def _text_faults(texts: Mapping[str, str]) -> Iterable[Fault]:
    for path, text in texts.items():
        yield from check_text(text, path=path, label=LABELS[path])
