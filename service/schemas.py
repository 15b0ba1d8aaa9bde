"""The shapes of requests and answers, for OpenAPI only.

Routes take JSON as it comes: the office finds every fault at once, which a model that stops at its first could not.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """What all shapes share: no member beyond those named."""

    model_config = ConfigDict(extra="forbid")


class Step(Shape):
    """受理、审核或批准中的一步 · one step of the case."""

    authority: str = Field(description="机关代号 · key of the authority", examples=["rongjiang-approval"])
    person: str = Field(description="经办人 · who did it")
    at: datetime = Field(description="时间，带时区 · with time zone")
    opinion: str = Field(default="", description="意见 · opinion")


class Decision(Shape):
    """决定：依申请、依职权或他机关文书 · what entitles the city to act."""

    kind: Literal["application", "ex-officio", "other-authority"] = "application"
    acceptance: Step | None = None
    review: Step | None = None
    approval: Step | None = None
    basis: str = Field(default="", description="法律依据 · law and article")
    grounds: str = Field(default="", description="理由 · grounds")
    document_number: str = Field(default="", description="文号 · number of this or the other authority's document")
    authority: str = Field(default="", description="作出机关 · the ordering authority")
    decided_at: datetime | None = None
    file_sha256: str = Field(default="", description="他机关文书文件的 SHA-256")


class Case(Shape):
    """办件 · the case."""

    number: str = Field(description="办件编号 · case number")


class OneHolder(Shape):
    """一个持证主体 · one holder."""

    name: str
    code: str
    code_type: Literal["001", "099", "111", "114", "414", "511", "516", "999"] = "001"


class Holder(OneHolder):
    """持证主体；可与他人共同持证 · the holder, and who holds the certificate together with it."""

    others: list[OneHolder] = Field(
        default_factory=list, description="共同持证主体，证照种类允许时 · co-holders, where the type allows them"
    )


class Paper(Shape):
    """实体证照 · the paper asked for."""

    waived: bool = False
    copies: dict[str, int] = Field(default_factory=dict, examples=[{"original": 1, "duplicate": 1}])


class IssueRequest(Shape):
    """签发一件证照或文书 · a certificate or document asked for."""

    item: str = Field(description="事项，附件号-序号 · annex-number", examples=["2-25"])
    type: str = Field(default="", description="文书种类（仅文书）· type, documents only")
    case: Case
    decision: Decision
    holder: Holder
    facts: dict[str, Any] = Field(description="证照内容，见 /v1/certificate-types · the facts of the face")
    paper: Paper | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    number: str = Field(default="", description="由他机关编定的编号 · a number allotted elsewhere")
    second_person: str = Field(default="", description="用印复核人（双人复核）· who confirms the use of the seal")


class ActDocument(Shape):
    """决定文书的内容；办理本身已写明的不必再写 · facts of the decision document beyond what the act states."""

    facts: dict[str, Any] = Field(
        default_factory=dict, examples=[{"decision_text": "撤销该行政许可，该许可自始无效。"}]
    )


class ActRequest(Shape):
    """对证照办理一项操作 · an action on a certificate."""

    action: Literal[
        "renew", "replace", "change", "transfer", "correct", "reissue", "retain",
        "suspend", "resume", "cancel", "withdraw", "revoke", "rescind", "void",
    ]  # fmt: skip
    item: str = ""
    case: Case | None = None
    decision: Decision
    facts: dict[str, Any] = Field(default_factory=dict, description="变更后的内容 · changed facts only")
    holder: Holder | None = None
    paper: Paper | None = None
    valid_until: date | None = None
    cause: str = ""
    evidence: list[str] = Field(default_factory=list)
    second_person: str = Field(default="", description="复核人 · second person")
    document: ActDocument | None = Field(
        default=None, description="同时制发决定文书（撤销、撤回、注销）· seal the act's decision document afterwards"
    )


class BatchLine(IssueRequest):
    """批量中的一行 · one line of a batch: a request and what is to be done with it."""

    operation: Literal["issue", "document"] = "issue"


class BatchRequest(Shape):
    """批量签发 · many requests, each answered on its own line."""

    lines: list[BatchLine] = Field(min_length=1, max_length=1000)


class BlanksRequest(Shape):
    """空白证照入库 · a range of blanks."""

    type: str = Field(examples=["medical-device-licence"])
    first: str = Field(examples=["A000001"])
    last: str = Field(examples=["A000500"])
    person: str
    witness: str


class PrintRequest(Shape):
    """打印 · a print job."""

    identifier: str
    purpose: str = Field(examples=["窗口打印"])
    window: str = Field(default="", examples=["一号窗口"])
    person: str = ""


class BlanksMove(Shape):
    """空白证照领用、退回、核销 · move blanks."""

    act: str = Field(examples=["allot"], description="allot | return | spoil | lose | destroy")
    first: str = Field(examples=["A000001"])
    last: str = Field(examples=["A000050"])
    window: str = Field(default="", examples=["一号窗口"])
    person: str
    witness: str = ""
    reason: str = ""


class WindowAlignment(Shape):
    """窗口打印偏移 · what a window's printer is off by, in millimetres."""

    window: str = Field(examples=["一号窗口"])
    x: float = Field(default=0.0, ge=-5, le=5, description="向右，负数向左 · to the right")
    y: float = Field(default=0.0, ge=-5, le=5, description="向下，负数向上 · down")
    person: str = Field(description="经办人 · by whom")


class SheetAct(Shape):
    """实体证照的领取、作废、收回等 · what is done with a sheet, with its proof."""

    act: str = Field(examples=["collect"], description="collect | spoil | lose | surrender | announce | destroy")
    record: dict[str, str] = Field(
        examples=[{"collector": "陈志远", "relation": "holder", "document": "居民身份证", "receipt": "送达〔2026〕1号"}]
    )


class ServiceRecord(Shape):
    """送达记录：方式、时间与该方式所需的凭据 · way, moment and proof; each way needs some of these."""

    way: Literal["direct", "electronic", "post", "left", "announced"]
    served_at: datetime = Field(description="送达时间，带时区 · with time zone")
    recipient: str = Field(default="", description="收件人")
    relation: str = Field(default="", description="holder 本人 | legal-representative 法定代表人 | agent 代理人")
    identity: str = Field(default="", description="收件人证件")
    authorisation: str = Field(default="", description="授权委托书（代理人签收）")
    receipt: str = Field(default="", description="送达回证（回执）编号")
    person: str = Field(default="", description="送达人")
    consent: str = Field(default="", description="受送达人同意电子送达的凭据")
    address: str = Field(default="", description="电子送达地址")
    tracking: str = Field(default="", description="邮件号")
    reason: str = Field(default="", description="事由")
    place: str = Field(default="", description="送达地点")
    witness: str = Field(default="", description="见证人")
    announcement: str = Field(default="", description="公告文号")
    announced_on: str = Field(default="", description="公告日期")
    note: str = Field(default="", description="备注")


class ServiceView(BaseModel):
    """送达情况 · how the service stands."""

    due: date = Field(description="法定最后一日（行政许可法44）· the last day")
    carrier: Literal["file", "paper", "document"] = Field(description="应送达的载体 · what is due to the holder")
    complete: bool
    services: list[dict[str, Any]] = Field(description="已登记的送达：方式、时间、凭据、日志叶 · what was recorded")


class OverdueList(BaseModel):
    """逾期办件 · what is overdue."""

    overdue: list[dict[str, Any]]
    total: int


class ImportRequest(Shape):
    """存量证照补录 · a certificate issued before us."""

    type: str = Field(examples=["gas-licence"])
    number: str
    decision: dict[str, Any]
    second_person: str
    holder: dict[str, Any]
    facts: dict[str, Any]
    issued_on: str = Field(examples=["2022-05-10"])
    valid_from: str = ""
    valid_until: str = ""
    source: str = Field(examples=["市行政审批局档案 2022-118"])
    scan_sha256: str = Field(examples=["ab" * 32])
    serial: str = ""


class MassProposal(Shape):
    """批量办理的提出 · an action on many certificates."""

    action: str = Field(examples=["withdraw"])
    request: dict[str, Any]
    where: dict[str, str] = Field(examples=[{"type": "medical-device-licence", "issued_until": "2026-01-31"}])
    person: str
    reason: str
    dry_run: bool = False


class Person(Shape):
    """经办人 · who does it."""

    person: str


class ErasureRequest(Shape):
    """依法删除个人信息的请求 · a request to erase personal data."""

    subject: str = Field(description="证照标识、文书编号，或持证主体代码 · what, or whose", max_length=200)
    grounds: str = Field(description="删除依据 · the grounds", max_length=500)
    person: str = Field(description="经办人 · by whom", max_length=50)
    second_person: str = Field(description="复核人，须为另一人 · and a second person", max_length=50)


class KeptData(Shape):
    """依法仍须保存、未删除的 · what was kept, and for which duty."""

    what: str
    why: str


class ErasureAnswer(Shape):
    """已删除个人信息的证照与文书，及仍须保存的 · the numbers of what was erased, and what is still needed."""

    erased: list[str]
    kept: list[KeptData]


class SealData(Shape):
    """印章的数据 · what a seal is."""

    id: str = Field(pattern=r"^[0-9]{14}$", description="印章编号：6 位区划、8 位序号", examples=["36070000000023"])
    authority: str = Field(default="", description="所属机关 · owner")
    kind: Literal["approval", "organ"] = Field(default="approval", description="行政审批专用章 | 机关印章")
    copy_: int = Field(default=1, alias="copy", ge=1, le=99, description="序号（2号章为 2）· numbered duplicate")
    name: str = ""
    arc_text: str = Field(default="", description="环行文字 · in the arc")
    lines: list[str] = Field(default_factory=list, description="横排文字 · across")
    centre: Literal["star", "emblem"] = Field(
        default="star", description="五角星 | 国徽（图样由设置 emblem 给出）· star, or the artwork of the settings"
    )
    diameter: float = Field(default=42, ge=30, le=45, description="直径，毫米")
    keeper: str = Field(default="", description="保管人 · keeper")


class SealParts(Shape):
    """谁、依何文号、为何 · who, on which document, why."""

    person: str = Field(description="经办人")
    second_person: str = Field(default="", description="复核人（双人复核）")
    document_number: str = Field(description="依据文号")
    certificates: list[str] | None = Field(default=None, description="X.509 证书（PEM），每个密码套件一份")
    maker: str = Field(default="", description="制作单位")
    filing_number: str = Field(default="", description="备案号")


class SealBeginning(SealParts):
    """申请印章，或接入已有印章 · apply for a seal, or take one in."""

    act: Literal["apply", "accede"]
    seal: SealData


class SealAct(SealParts):
    """印章事项 · an act on a seal."""

    act: Literal["make", "file", "enable", "suspend", "resume", "renew", "revoke", "cancel"]
    cause: str = Field(default="", description="事由，如 key-compromise、inspection、certificate-expiry")
    compromised_since: datetime | None = Field(default=None, description="密钥泄露自何时起（仅撤销）")
    keeper: str = Field(default="", description="新的保管人（启用、恢复）")
    seal: dict[str, Any] | None = Field(default=None, description="更新印模时的变动 · changes of the picture")


class SealView(BaseModel):
    """印章现状 · a seal as it stands."""

    model_config = ConfigDict(extra="allow")
    id: str
    state: str
    version: int
    edition: int


class SealPage(BaseModel):
    """印章 · seals."""

    seals: list[SealView]


class SealUse(BaseModel):
    """用印日志的一行 · one line of the ledger of uses."""

    model_config = ConfigDict(extra="allow")
    id: int
    seal: str
    counter: int | None
    kind: Literal["electronic", "printed", "stamped"]
    state: Literal["reserved", "used", "released", "denied"]


class SealUsePage(BaseModel):
    """一页用印日志 · one page of the ledger."""

    uses: list[SealUse]
    next: int


class SealStamp(Shape):
    """加盖实物印章：一张实体证照，或文书纸质件若干份 · a sheet, or copies of a document, stamped by hand."""

    sheet: int | None = Field(default=None, ge=1)
    document: str | None = Field(default=None, description="文书编号")
    copies: int = Field(default=1, ge=1, le=99)
    person: str = Field(description="用印人")
    second_person: str = ""
    reason: str = ""


class SealPictureWish(Shape):
    """调取印模：只给保管人，另一人批准，写明用途 · a seal's picture, to its keeper only, approved and for a purpose."""

    person: str = Field(description="印章保管人本人 · the keeper")
    second_person: str = Field(description="批准人，须是另一人 · who approved, another person")
    document_number: str = Field(description="批准文号")
    reason: str = Field(description="用途", examples=["印模备案"])


class DeadLetter(BaseModel):
    """一条待处理的归集推送 · a delivery to the city repository that was laid aside."""

    id: int = Field(examples=[7])
    identifier: str = Field(description="证照标识")
    sequence: int = Field(description="该证照的第几个事件")
    operation: str = Field(examples=["change"])
    reason: str = Field(description="为何搁置，含证照库的答复")
    attempts: int
    behind: int = Field(description="该证照排在其后等待的事件数 · events that wait behind it")
    at: datetime


class DeliveryStanding(BaseModel):
    """归集推送现状 · how deliveries to the city repository stand."""

    due: int
    leased: int = Field(description="正在推送")
    done: int
    dead: int
    blocked: int = Field(description="排在待处理之后的事件")
    unread: int = Field(description="证照文件暂时无法读取的，自动重试 · whose file cannot be read now; tried again")
    oldest_seconds: float = Field(description="最久的未送达事件已等待的秒数")
    dead_letters: list[DeadLetter]


class DeadLetterMessage(DeadLetter):
    """一条待处理的推送及其内容 · one with its message."""

    message: dict[str, Any]


class DeliveryRepair(Shape):
    """重推全部或某几条；只有一条时可附改正后的内容 · send again, all or by id; one may come put right."""

    reason: str = Field(description="原因，记入查阅日志", max_length=200)
    ids: list[int] | None = Field(default=None, min_length=1, max_length=1000)
    message: dict[str, Any] | None = Field(default=None, description="改正后的内容；证照标识、操作、状态不可改动")


class DeliveryRepaired(BaseModel):
    """重推了多少 · how many go again."""

    replayed: int


class Webhook(BaseModel):
    """推送目标：告知什么、积压多少 · a target, what it is told, and how its deliveries stand."""

    name: str = Field(examples=["market-regulation"])
    address: str = Field(description="不含查询部分 · without its query")
    content: Literal["events", "publicity"]
    supervises: list[str] = Field(description="其监管的事项所属的监管部门")
    authorities: list[str] = Field(description="其审批系统所属的机关")
    items: list[str]
    waiting: int
    delivered: int
    dead: int = Field(description="死信：已搁置，附原因 · laid aside")
    blocked: int = Field(description="排在死信之后的事件 · waiting behind one laid aside")
    gone: bool = Field(description="对方已答复不再接收（410），重放死信后恢复 · said 410; a replay opens it again")
    trouble: str = Field(description="下一个要推送的事件为何尚未送达 · why what goes next has not arrived")
    oldest: datetime | None


class WebhookList(BaseModel):
    """全部推送目标 · the targets."""

    webhooks: list[Webhook]


class WebhookDelivery(BaseModel):
    """一次推送 · one event on its way to a target."""

    id: str = Field(description="事件编号，即 webhook-id，重试与重放不变 · the same at each attempt and replay")
    event: str = Field(examples=["certificate.revoke"])
    certificate: str = Field(description="证照标识，或文书编号")
    sequence: int = Field(description="该目标、该证照的第几个事件")
    at: datetime
    state: Literal["due", "leased", "done", "dead"]
    attempts: int
    failures: int
    reason: str = Field(description="最近一次失败的原因，含对方的答复")
    next_attempt: datetime | None
    delivered_at: datetime | None


class WebhookDeliveryPage(BaseModel):
    """一页推送记录 · one page of deliveries."""

    deliveries: list[WebhookDelivery]
    next: int


class WebhookReplay(Shape):
    """重放：全部死信、某几个事件或一段时间，三者择一 · dead letters, events by id, or a span of time."""

    reason: str = Field(description="原因，记入查阅日志", max_length=200)
    dead: Literal[True] | None = None
    ids: list[str] | None = Field(default=None, max_length=1000)
    since: datetime | None = None
    until: datetime | None = None


class WebhookReplayed(BaseModel):
    """重放了多少 · how many go again."""

    name: str
    replayed: int
    gone: bool = Field(description="目标仍不接收（410）：其答复 410 的事件不在此次重放之列 · it still takes nothing")


class SealAuthorisation(Shape):
    """用印授权 · who may use a seal for what; empty lists mean any."""

    id: str = Field(examples=["ZS-2026-1"])
    authority: str = Field(description="其决定适用本授权的机关")
    items: list[str] = Field(default_factory=list, examples=[["2-25"]])
    types: list[str] = Field(default_factory=list, description="证照或文书种类")
    actions: list[str] = Field(default_factory=list, examples=[["issue", "change"]])
    persons: list[str] = Field(default_factory=list, description="批准人")
    since: datetime
    until: datetime
    limit: int = Field(default=0, ge=0, description="限用次数，0 为不限")
    approvers: int = Field(default=1, ge=1, le=2, description="批准人数，2 为双人复核")
    basis: str = Field(description="法律依据")
    person: str
    second_person: str
    document_number: str


class SealAuthorisationEnd(Shape):
    """终止授权 · end an authorisation."""

    person: str
    document_number: str
    reason: str


class SealAuthorisationView(BaseModel):
    """用印授权的现状 · an authorisation as it stands."""

    model_config = ConfigDict(extra="allow")
    id: str
    seal: str
    state: Literal["pending", "in-force", "ended", "over"]
    sha256: str
    uses: int


class SealAuthorisationPage(BaseModel):
    """一枚印章的授权 · the authorisations of a seal."""

    authorisations: list[SealAuthorisationView]


class IssuedAnswer(BaseModel):
    """办结 · what was issued."""

    number: str
    identifier: str = ""
    edition: int = 1
    n: int
    sha256: str
    version: int
    state: str
    links: dict[str, str] = Field(default_factory=dict)
    permitted: list[Any] = Field(default_factory=list, description="接下来可办的事项")
    refused: list[Any] = Field(default_factory=list, description="不可办的事项及原因")


class CertificateView(BaseModel):
    """证照现状 · a certificate as it stands."""

    model_config = ConfigDict(extra="allow")
    identifier: str
    number: str
    state: str
    version: int


class CertificatePage(BaseModel):
    """一页证照 · one page of certificates."""

    model_config = ConfigDict(extra="allow")
    next: str | None = Field(default=None, description="下一页的 after · cursor of the next page")


class PublicLookup(Shape):
    """公众查验的凭据：二维码全文，或编号加校验码 · the proof of a public look-up."""

    code: str = Field(default="", description="二维码文字 · the code's text")
    number: str = Field(default="", description="证照编号 · the number on the paper")
    check: str = Field(default="", description="校验码 · the check code printed beside it")


_AT = Field(
    default="",
    max_length=40,
    description="某日（该日终了时）或某一时刻的状态；空为现在 · as of a day, as it ended, or a time; empty: now",
)


class PublicQuestion(PublicLookup):
    """查验：凭据，可以问以前某日的状态 · the proof, and the moment asked about."""

    at: str = _AT


class MatchRequest(PublicLookup):
    """核对持证人：凭据，加姓名（名称）与证件号码后四位 · the proof, with what is to be matched."""

    name: str = Field(description="持证人姓名或名称 · the holder's name")
    last_four: str = Field(description="证件号码或统一社会信用代码的后四位 · last four characters of the holder's code")


class MatchAnswer(BaseModel):
    """是或否 · yes or no."""

    match: bool
    left: int = Field(description="今日还可核对几次 · tries left today")
    at: datetime


class InspectionRequest(PublicLookup):
    """执法检查：凭据、检查人员与目的 · the proof, the officer and the purpose."""

    officer: str = Field(description="检查人员姓名与执法证号 · the officer")
    purpose: str = Field(description="查询目的 · the purpose", examples=["日常监督检查"])


class InspectionAnswer(BaseModel):
    """台账全文 · all that the register holds."""

    carrier: dict[str, Any] = Field(description="所持此件的结论 · the verdict on the carrier at hand")
    record: dict[str, Any] = Field(description="证照或文书的登记全文 · the certificate or document in full")


class AuditSearch(Shape):
    """审计查找 · what an auditor looks for; all that is given must fit, at least one is."""

    number: str = Field(default="", max_length=120, description="证照、文书编号（可为一部分），证照标识，或办件编号")
    seal: str = Field(default="", max_length=120, description="印章编号 · id of the seal")
    person: str = Field(default="", max_length=120, description="持证人姓名或证件号码，或经办人姓名")
    since: date | None = Field(default=None, description="自此日起 · from this day on")
    until: date | None = Field(default=None, description="至此日止，含当日 · up to this day")


class AuditFound(Shape):
    """查到的登记 · what fits, the newest first; `more` names the lists that were cut short."""

    certificates: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    uses: list[SealUse]
    more: list[str]


class AuditCertificate(Shape):
    """一证全貌 · one certificate, each use of a seal for it, and who looked at it."""

    certificate: CertificateView
    authorities: dict[str, str] = Field(description="决定各环节机关的名称 · names of the authorities of the decision")
    uses: list[SealUse]
    accesses: list[dict[str, Any]]


class AuditSeals(Shape):
    """各印章计数 · the seals with their counters and uses within the period."""

    seals: list[dict[str, Any]]


class AuditLedger(Shape):
    """用印日志 · lines of the ledger, the newest first; `next` continues, 0 on the last page."""

    uses: list[SealUse]
    next: int


class AuditUsage(Shape):
    """用印分布 · uses by day and state; `hours` are seven weekdays from Monday of 24 hours each."""

    days: list[dict[str, Any]]
    hours: list[list[int]]
    outside: int = Field(description="非工作时间的用印 · uses outside office hours")
    open_from: int
    open_until: int


class AuditSign(Shape):
    """一类异常 · one kind of sign: all cases counted, the newest shown."""

    kind: str
    tone: Literal["red", "amber", "green"]
    words: str
    english: str
    count: int
    entries: list[dict[str, Any]]


class AuditSigns(Shape):
    """异常 · every kind of sign, also those without a case."""

    signs: list[AuditSign]


class AuditAccesses(Shape):
    """查阅记录 · the access log, the newest first; `leaf` is the journal's number of the digest of its hour."""

    accesses: list[dict[str, Any]]
    next: int


class AuditFindings(Shape):
    """持续检查 · when each check last ran and what it found."""

    checks: list[dict[str, Any]]


class PublicVerdict(BaseModel):
    """查验结论 · what the register says."""

    model_config = ConfigDict(extra="allow")
    verdict: str
    words: dict[str, str]
    at: datetime


Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class InclusionAnswer(Shape):
    """存在证明 · inclusion proof (RFC 6962, 2.1.1); hashes in hexadecimal, the leaf's sibling first."""

    origin: str = Field(description="日志名 · the log's name, as in its checkpoints")
    leaf: int = Field(ge=0, description="条目序号 · number of the leaf")
    size: int = Field(ge=1, description="树的大小 · size of the tree")
    leaf_hash: Hash
    hashes: list[Hash]
    root: Hash = Field(description="由台账算得，未签名；请与所持检查点比对 · unsigned, compare with a checkpoint")


class ConsistencyAnswer(Shape):
    """一致性证明 · consistency proof (RFC 6962, 2.1.2); hashes in hexadecimal."""

    origin: str
    earlier: int = Field(ge=0, alias="from")
    later: int = Field(ge=0, alias="to")
    hashes: list[Hash]
    from_root: Hash
    to_root: Hash


class FileDigest(Shape):
    """文件的 SHA-256 · a file's digest, for asking whether it is the issued one without sending it."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    at: str = _AT


class StatisticsReport(BaseModel):
    """统计分析：各表是同一批数据的不同汇总 · every table sums the same cells."""

    model_config = ConfigDict(extra="allow")
    period: dict[str, str] = Field(description="期间与按日或按月 · the period, counted by day or by month")
    at: datetime
    totals: dict[str, int]
    items: list[dict[str, Any]]
    authorities: list[dict[str, Any]]
    outcomes: list[dict[str, Any]]
    times: list[dict[str, Any]]
    states: list[dict[str, Any]]
    deliveries: list[dict[str, Any]] = Field(description="推送时延（秒）· seconds from event to arrival")
    overdue: list[dict[str, Any]]
    paper: list[dict[str, Any]] = Field(description="空白证照结存，差额应为 0 · the difference must be 0")


class PageLink(BaseModel):
    """在浏览器中打开网页的链接 · a link that opens a page in a browser."""

    link: str
    expires_at: datetime


class PermitsDue(BaseModel):
    """应报而未报的双公示记录 · records to be published."""

    permits: list[dict[str, Any]]


class PermitExport(BaseModel):
    """一批导出：各类行数、两种文件的摘要 · rows of each kind, the digests of both files."""

    number: int = Field(description="批次；0：没有可导出的 · 0: there was nothing to export")
    at: datetime
    count: int
    rows: dict[str, int]
    sha256: dict[str, str]
    faults: list[dict[str, str]]


class PermitExports(BaseModel):
    """各批导出，新的在前 · the exports, the newest first."""

    exports: list[dict[str, Any]]


class TokenAnswer(BaseModel):
    """访问令牌 · RFC 6749, 5.1."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str


class FaultShape(BaseModel):
    """一处问题 · one thing wrong with one place."""

    path: str = ""
    label: str = ""
    code: str
    message: str
    english: str = ""


class Problem(BaseModel):
    """问题文档 · RFC 9457."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    title_en: str = ""
    status: int
    code: str = ""
    detail: str = ""
    faults: list[FaultShape] = Field(default_factory=list)
