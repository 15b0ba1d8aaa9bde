"""Frozen values of the catalogue: items, certificate types, document types, authorities.

The catalogue's loader (`certlib.catalogue`) makes them from data files; everything else only reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from certlib.domain.actions import Action


class FieldKind(StrEnum):
    """How a fact is checked and set."""

    TEXT = "text"  # one line
    PARAGRAPH = "paragraph"  # may wrap and hold line breaks
    NAME = "name"  # a person's name
    USCC = "uscc"
    CITIZEN_NUMBER = "citizen-number"
    SUBJECT_CODE = "subject-code"  # a USCC or a citizen number
    DATE = "date"  # ISO 8601 in the request, 年月日 on the face
    CHOICE = "choice"
    NUMBER = "number"  # decimal, unit in the label
    LIST = "list"  # several lines, one entry each
    HOLDERS = "holders"  # objects of name and code; on the face a line each, the code after the last space


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One fact of a face. `max_length` counts characters.

    `same_as` names what the fact must repeat: `holder.name`, `holder.code`, `case.number`, `acceptance.date`. Of
    several holders it repeats each: a list one a line, a text joined by 、.
    `after` names a date of the same face that this one must not precede.
    """

    key: str
    label: str
    english: str
    kind: FieldKind = FieldKind.TEXT
    required: bool = True
    max_length: int = 100
    choices: tuple[str, ...] = ()
    changeable: bool = True  # may 变更 touch it
    public: bool = True  # may the public look-up show it
    assumed: bool = False  # not confirmed by a source
    same_as: str = ""
    past: bool = False  # a date that must not lie ahead
    after: str = ""
    example: str = ""  # an invented value; may hold the placeholders of `certlib.catalogue.examples`


class Allocator(StrEnum):
    """Who gives a face number."""

    LOCAL = "local"
    EXTERNAL = "external"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A face number. `pattern` has `{year}`, `{serial:04}` and facts' keys; `regex` checks what others allot.

    `scope` names the counter; serials start anew each year when the pattern has `{year}`. `codes` gives, for a
    fact's key, what stands in the number for each of its values. `example` is a number of the format.
    """

    allocator: Allocator
    regex: str
    pattern: str = ""
    scope: str = ""
    assumed: bool = True
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    example: str = ""


@dataclass(frozen=True, slots=True)
class Validity:
    """How long an edition is valid at most: `years` and `months` from its effective day; both 0 is without end."""

    years: int = 0
    months: int = 0
    late_renewal: bool = False
    deemed_renewal: bool = False  # an application not decided before the last day counts as granted
    basis: str = ""
    assumed: bool = True
    # renewal window in days before expiry: (earliest, latest); working days when so said
    renewal_window: tuple[int, int] = (90, 30)
    working_days: bool = True


@dataclass(frozen=True, slots=True)
class CopySpec:
    """A kind of sheet: 正本 or 副本, how many by default, how its seal comes upon it, and what its blank carries."""

    kind: str  # "original" | "duplicate"
    label: str  # 正本 | 副本 | 证书
    count: int = 1
    seal: str = "printed"  # "printed" 套印 | "stamped" 加盖实物印章
    form: str = "full"  # "full" whole face printed | "overprint" 套打: frame, title and labels are on the blank already


@dataclass(frozen=True, slots=True)
class CertificateType:
    """A type of the city's certificates (证照类型)."""

    key: str  # "medical-device-licence"
    name: str
    english: str
    code: str  # 证照类型代码, 21 characters (GB/T 36904)
    code_assumed: bool
    code_number: int  # the type's small number inside the signed code
    fields: tuple[FieldSpec, ...]
    number: NumberFormat
    validity: Validity
    copies: tuple[CopySpec, ...]
    actions: frozenset[Action]
    labels: Mapping[Action, str] = field(default_factory=dict)  # 新办, 核发, 新备案 …
    template: str = ""  # folder under templates/; empty: the face is not made yet
    kind: str = "licence"  # licence 许可证件 | filing 备案凭证 | registration 登记证书 | recognition 认定
    category: str = "1"  # 目录类别: 1 证照 2 批文 3 证明
    assumed: tuple[str, ...] = ()  # what about it is assumed, in words
    supplied: Mapping[str, str] = field(default_factory=dict)  # labels of number, issuer, issued_on … as the face has
    basis: str = ""  # law and article under which it is issued
    holders: int = 1  # how many may hold one certificate together, at most

    @property
    def holder_name(self) -> FieldSpec | None:
        """The fact that repeats the holder's name, if the face has one."""
        return next((spec for spec in self.fields if spec.same_as == "holder.name"), None)


@dataclass(frozen=True, slots=True)
class DocumentType:
    """A sealed paper of the procedure (审批文书)."""

    key: str  # "licence-decision"
    name: str  # 准予行政许可决定书
    english: str
    number: NumberFormat  # 〔year〕n号
    fields: tuple[FieldSpec, ...]
    template: str = ""
    kind: str = "decision"  # decision | notice | report | receipt | opinion | list
    code_number: int = 0
    outward: bool = True  # names the deciding authority only
    seal: str = "approval"  # approval 审批专用章 | organ 机关印章 | district 区级部门印章
    assumed: tuple[str, ...] = ()
    step: str = "approval"  # the step after which it may be made: acceptance | review | approval
    public: bool = True  # whether the public look-up may show it at all
    basis: str = ""
    chain: bool = False  # shows who accepted, reviewed, decided and supervises (权责一致); never outward
    action: Action | None = None  # the action on a certificate whose decision it is


class OutcomeKind(StrEnum):
    """What an item yields."""

    CERTIFICATE = "certificate"
    DOCUMENT = "document"
    RECEIPT = "receipt"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing an item can yield: a type, and for certificates the actions on it, the principal one first.

    `label` is the item's own word for the principal action (登记事项的变更), empty for the type's. `changes` are the
    only facts this item may change; empty when it may change every changeable one.
    """

    kind: OutcomeKind
    type: str
    actions: tuple[Action, ...] = ()
    label: str = ""
    changes: tuple[str, ...] = ()

    @property
    def action(self) -> Action | None:
        """The principal action, or None for documents and receipts."""
        return self.actions[0] if self.actions else None


class Handling(StrEnum):
    """How district and city share an item, in the words of the notice."""

    JOINT = "市县同办"  # district accepts and reviews, city decides and seals
    WINDOW = "县级受理市级审批"  # district accepts, city reviews and decides


@dataclass(frozen=True, slots=True)
class Item:
    """One of the 98 rows of the notice (事项). `outcomes[0]` is the principal one."""

    annex: int
    number: int
    city_department: str
    item: str
    sub_item: str
    power_type: str
    handling: Handling
    outcomes: tuple[Outcome, ...]

    @property
    def key(self) -> str:
        """`2-25`: annex and number."""
        return f"{self.annex}-{self.number}"

    @property
    def title(self) -> str:
        """The name people use: the sub-item's, else the item's."""
        return self.sub_item or self.item

    @property
    def outcome(self) -> Outcome:
        """The principal outcome."""
        return self.outcomes[0]


@dataclass(frozen=True, slots=True)
class Authority:
    """A body with a USCC (机关), or a 派出机构 under its parent's."""

    key: str  # "ganzhou-approval"
    name: str  # 赣州市行政审批局
    short: str  # 市行政审批局
    english: str
    uscc: str
    level: str  # 国家 | 省 | 地市 | 区县
    parent: str = ""
    invented: bool = False  # the USCC is invented (its check digits are valid)
    document_word: str = ""  # 赣市行审 in 赣市行审决字〔2026〕1号
    code_number: int = 0  # the authority's number inside the signed code, for ever its own
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mandate:
    """Who does what for an item in a span of days (权限配置). `until` is exclusive; None is open.

    Without agreement (`agreement` empty) an annex-1 mandate is not in force. Cases accepted before `until` may
    run off until `run_off`.
    """

    item: str
    since: date
    until: date | None
    run_off: date | None
    accepts: str
    reviews: str
    decides: str
    seals: str
    supervises: str
    basis: str
    agreement: str = ""
    agreement_date: date | None = None
    assumed: tuple[str, ...] = ()
