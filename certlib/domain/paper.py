"""Paper: the life of a sheet and the life of a blank. Pure; the stock's ledger is in `certlib.domain.stock`.

A **blank** is a numbered piece of security paper: in stock, allotted to a window, used, spoiled, lost, destroyed.
A **sheet** is the paper face of one edition: to print, printed, collected, surrendered, destroyed; or spoiled, lost,
void. Printing joins the two: the sheet takes the blank's serial, which is used once and never again.

    move = decide_sheet(SheetState.TO_PRINT, SheetAct.PRINT)       # move.target, move.fate, move.blank
    blank = move_blank(blank, move.blank, type="gas-licence", window="A1")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from certlib.domain.certificate import SheetFate
from certlib.domain.holder import Holder
from certlib.errors import Fault, TransitionError


class SheetState(StrEnum):
    """Where a sheet is."""

    TO_PRINT = "to-print"  # 待打印
    PRINTED = "printed"  # 已打印，待领取
    COLLECTED = "collected"  # 已领取
    SURRENDERED = "surrendered"  # 已收回
    DESTROYED = "destroyed"  # 已销毁
    SPOILED = "spoiled"  # 打印作废
    LOST = "lost"  # 已声明遗失作废
    VOID = "void"  # 已作废: never printed, or announced void because it was not handed in


class SheetAct(StrEnum):
    """What is done with a sheet."""

    PRINT = "print"
    COLLECT = "collect"
    SPOIL = "spoil"
    LOSE = "lose"
    SURRENDER = "surrender"
    ANNOUNCE = "announce"
    DESTROY = "destroy"


class BlankState(StrEnum):
    """Where a blank is; also the kind of its account in the stock ledger."""

    STOCK = "stock"  # 库存
    ALLOTTED = "allotted"  # 已领用
    USED = "used"  # 已使用
    SPOILED = "spoiled"  # 已作废
    LOST = "lost"  # 已遗失
    DESTROYED = "destroyed"  # 已销毁


class BlankAct(StrEnum):
    """What is done with a blank."""

    RECEIVE = "receive"
    ALLOT = "allot"
    RETURN = "return"
    USE = "use"
    SPOIL = "spoil"
    LOSE = "lose"
    DESTROY = "destroy"


SHEET_WORDS: Mapping[SheetState, str] = {
    SheetState.TO_PRINT: "待打印",
    SheetState.PRINTED: "已打印待领取",
    SheetState.COLLECTED: "已领取",
    SheetState.SURRENDERED: "已收回",
    SheetState.DESTROYED: "已销毁",
    SheetState.SPOILED: "打印作废",
    SheetState.LOST: "已声明遗失作废",
    SheetState.VOID: "已作废",
}
SHEET_ACT_WORDS: Mapping[SheetAct, str] = {
    SheetAct.PRINT: "打印",
    SheetAct.COLLECT: "领取",
    SheetAct.SPOIL: "作废（打印错误）",
    SheetAct.LOSE: "声明遗失",
    SheetAct.SURRENDER: "收回",
    SheetAct.ANNOUNCE: "公告作废",
    SheetAct.DESTROY: "销毁",
}
BLANK_WORDS: Mapping[BlankState, str] = {
    BlankState.STOCK: "在库",
    BlankState.ALLOTTED: "已领用",
    BlankState.USED: "已使用",
    BlankState.SPOILED: "已作废",
    BlankState.LOST: "已遗失",
    BlankState.DESTROYED: "已销毁",
}
BLANK_ACT_WORDS: Mapping[BlankAct, str] = {
    BlankAct.RECEIVE: "入库",
    BlankAct.ALLOT: "领用",
    BlankAct.RETURN: "退回",
    BlankAct.USE: "使用",
    BlankAct.SPOIL: "作废",
    BlankAct.LOSE: "报失",
    BlankAct.DESTROY: "销毁",
}

SHEET_TRANSITIONS: Mapping[tuple[SheetState, SheetAct], SheetState] = {
    (SheetState.TO_PRINT, SheetAct.PRINT): SheetState.PRINTED,
    (SheetState.TO_PRINT, SheetAct.ANNOUNCE): SheetState.VOID,  # the edition ended before it was printed
    (SheetState.PRINTED, SheetAct.COLLECT): SheetState.COLLECTED,
    (SheetState.PRINTED, SheetAct.SPOIL): SheetState.SPOILED,
    (SheetState.PRINTED, SheetAct.LOSE): SheetState.LOST,  # lost in the office or in the post
    (SheetState.PRINTED, SheetAct.SURRENDER): SheetState.SURRENDERED,  # not collected in time, taken back
    (SheetState.COLLECTED, SheetAct.SURRENDER): SheetState.SURRENDERED,
    (SheetState.COLLECTED, SheetAct.LOSE): SheetState.LOST,
    (SheetState.COLLECTED, SheetAct.ANNOUNCE): SheetState.VOID,  # 未交回，公告作废
    (SheetState.LOST, SheetAct.SURRENDER): SheetState.SURRENDERED,  # found again: still void, but in our hands
    (SheetState.VOID, SheetAct.SURRENDER): SheetState.SURRENDERED,
    (SheetState.SURRENDERED, SheetAct.DESTROY): SheetState.DESTROYED,
    (SheetState.SPOILED, SheetAct.DESTROY): SheetState.DESTROYED,
}

BLANK_TRANSITIONS: Mapping[tuple[BlankState, BlankAct], BlankState] = {
    (BlankState.STOCK, BlankAct.ALLOT): BlankState.ALLOTTED,
    (BlankState.STOCK, BlankAct.SPOIL): BlankState.SPOILED,
    (BlankState.STOCK, BlankAct.LOSE): BlankState.LOST,
    (BlankState.STOCK, BlankAct.DESTROY): BlankState.DESTROYED,  # a form that is no longer in use
    (BlankState.ALLOTTED, BlankAct.RETURN): BlankState.STOCK,
    (BlankState.ALLOTTED, BlankAct.USE): BlankState.USED,
    (BlankState.ALLOTTED, BlankAct.SPOIL): BlankState.SPOILED,
    (BlankState.ALLOTTED, BlankAct.LOSE): BlankState.LOST,
    (BlankState.USED, BlankAct.SPOIL): BlankState.SPOILED,  # misprinted, never handed over
    (BlankState.USED, BlankAct.DESTROY): BlankState.DESTROYED,  # surrendered by its holder
    (BlankState.SPOILED, BlankAct.DESTROY): BlankState.DESTROYED,
    (BlankState.LOST, BlankAct.RETURN): BlankState.SPOILED,  # found again, but no longer trusted
}

_BLANK_OF: Mapping[SheetAct, BlankAct] = {
    SheetAct.PRINT: BlankAct.USE,
    SheetAct.SPOIL: BlankAct.SPOIL,
    SheetAct.DESTROY: BlankAct.DESTROY,  # of a spoiled or a used one
}


@dataclass(frozen=True, slots=True)
class SheetMove:
    """What an act does: where the sheet goes, what it is worth from then on, what happens to its blank."""

    act: SheetAct
    source: SheetState
    target: SheetState
    fate: SheetFate
    blank: BlankAct | None


def decide_sheet(
    state: SheetState, act: SheetAct, *, fate: SheetFate = SheetFate.SOUND, current: bool = True
) -> SheetMove:
    """What `act` does to a sheet in `state`; `current` says whether its edition is the newest.

    Raises `TransitionError` with the reason in Chinese.
    """
    target = SHEET_TRANSITIONS.get((state, act))
    if target is None:
        message = f"此实体证照{SHEET_WORDS[state]}，不能{SHEET_ACT_WORDS[act]}。{_instead(permitted_sheet_acts(state))}"
        raise TransitionError(message)
    if act is SheetAct.PRINT and not current:
        raise TransitionError("此实体证照属于旧版本，只能打印现行版本；请打印新版本。")
    return SheetMove(act, state, target, _fate(fate, target), _BLANK_OF.get(act))


def permitted_sheet_acts(state: SheetState) -> tuple[SheetAct, ...]:
    """What may be done with a sheet in `state`, in the order of the acts."""
    return tuple(act for act in SheetAct if (state, act) in SHEET_TRANSITIONS)


@dataclass(frozen=True, slots=True)
class Blank:
    """One blank: serial, the certificate type it is printed for, the window that has it."""

    serial: str
    type: str
    state: BlankState = BlankState.STOCK
    window: str = ""


def move_blank(blank: Blank, act: BlankAct, *, type: str = "", window: str = "") -> Blank:  # noqa: A002
    """The blank after `act`. `type` and `window` say for which certificate and at which window; empty: not asked.

    Raises `TransitionError` when its state forbids it, or it belongs to another type or window.
    """
    target = BLANK_TRANSITIONS.get((blank.state, act))
    if target is None:
        raise TransitionError(f"空白证照 {blank.serial} {BLANK_WORDS[blank.state]}，不能{BLANK_ACT_WORDS[act]}。")
    if type and type != blank.type:
        raise TransitionError(f"空白证照 {blank.serial} 是“{blank.type}”的空白，不能用于“{type}”。")
    if blank.state is BlankState.ALLOTTED and window and window != blank.window:
        raise TransitionError(f"空白证照 {blank.serial} 由窗口“{blank.window}”领用，窗口“{window}”不能动用。")
    if act is BlankAct.ALLOT and not window:
        raise TransitionError(f"领用空白证照 {blank.serial} 须指明窗口。")
    keeper = {BlankAct.ALLOT: window, BlankAct.RETURN: ""}.get(act, blank.window)
    return replace(blank, state=target, window=keeper)


@dataclass(frozen=True, slots=True)
class Proof:
    """What an act must be recorded with: the key in the request and its Chinese label."""

    key: str
    label: str


SHEET_PROOFS: Mapping[SheetAct, tuple[Proof, ...]] = {
    SheetAct.PRINT: (Proof("serial", "空白证照编号"), Proof("window", "窗口"), Proof("person", "打印人")),
    SheetAct.COLLECT: (
        Proof("collector", "领取人"),
        Proof("relation", "与持证主体的关系"),
        Proof("document", "领取人证件"),
        Proof("receipt", "送达回证编号"),
    ),
    SheetAct.SPOIL: (Proof("reason", "作废原因"), Proof("person", "经办人"), Proof("witness", "见证人")),
    SheetAct.LOSE: (Proof("declaration", "遗失声明"),),
    SheetAct.SURRENDER: (Proof("person", "收回人"),),
    SheetAct.ANNOUNCE: (Proof("announcement", "公告文号"),),
    SheetAct.DESTROY: (Proof("list", "销毁清单编号"), Proof("person", "销毁人"), Proof("witness", "监销人")),
}

RELATIONS: Mapping[str, str] = {"holder": "本人", "legal-representative": "法定代表人", "agent": "代理人"}
"""Who may collect a sheet; an agent shows an authorisation."""


def proof_faults(act: SheetAct, given: Mapping[str, str]) -> list[Fault]:
    """Everything missing or wrong in the record of an act, by key."""
    faults = [
        Fault(proof.key, "required", f"“{SHEET_ACT_WORDS[act]}”须填写{proof.label}。", proof.label, "required")
        for proof in SHEET_PROOFS[act]
        if not given.get(proof.key, "").strip()
    ]
    relation = given.get("relation", "")
    if act is SheetAct.COLLECT and relation and relation not in RELATIONS:
        faults.append(
            Fault("relation", "choice", "领取人须为本人、法定代表人或代理人。", "与持证主体的关系", "unknown")
        )
    if act is SheetAct.COLLECT and relation == "agent" and not given.get("authorisation", "").strip():
        faults.append(Fault("authorisation", "required", "代理人领取须提交授权委托书。", "授权委托书", "required"))
    same = given.get("person", "").strip() == given.get("witness", "").strip() != ""
    if same and any(proof.key == "witness" for proof in SHEET_PROOFS[act]):
        faults.append(Fault("witness", "same-person", "见证人不得与经办人为同一人。", "见证人", "same as the person"))
    return faults


def collector_faults(given: Mapping[str, str], holder: Holder) -> list[Fault]:
    """A stranger does not collect: 本人 is a holder by name, where all of them are persons.

    Of an organisation somebody collects whose name it does not bear; the record says who, against which document.
    """
    persons = [one.name for one in holder.all if one.is_person]
    own = given.get("relation", "") == "holder" and len(persons) == len(holder.all)
    if not own or given.get("collector", "").strip() in persons:
        return []
    message = "领取人不是持证人本人，也未以代理人身份提交授权委托书，不能领取。"
    return [Fault("collector", "stranger", message, "领取人", "The collector is none of the holders.")]


def _fate(before: SheetFate, target: SheetState) -> SheetFate:
    """A sheet once lost or void stays so, wherever it goes."""
    if before is not SheetFate.SOUND or target in {SheetState.TO_PRINT, SheetState.PRINTED, SheetState.COLLECTED}:
        return before
    return SheetFate.LOST if target is SheetState.LOST else SheetFate.VOID


def _instead(acts: tuple[SheetAct, ...]) -> str:
    return f"可以：{'、'.join(SHEET_ACT_WORDS[act] for act in acts)}。" if acts else "不能再作任何处理。"
