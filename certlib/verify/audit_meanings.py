"""What a breach means to the auditor who finds it, and what to do next: Chinese first, then English; by check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Advice(NamedTuple):
    """Two sentences, each in both languages' way."""

    chinese: str
    english: str


ADVICE: Mapping[str, Advice] = {
    "bundle": Advice(
        "审计包残缺、损坏，或不是审计包；缺的没有查。请向导出单位重新取得（certctl bundle）；仍然缺少，须问明原因。",
        "The bundle is damaged, incomplete or no bundle; what is missing was not checked. Get it again.",
    ),
    "head": Advice(
        "不能确认这是该日志。先核对日志公钥、见证公钥是否取自可信之处；公钥无误，则本包属于另一日志，或日志已被改写重签。",
        "This cannot be told to be the journal. Check the keys you gave; if they are right, it is another journal, or"
        " one rewritten and signed again.",
    ),
    "archive": Advice(
        "日志不是只增不减。请保存本包和自存的检查点作为证据，并向各见证索取其签过的检查点对照。",
        "The journal did not merely grow. Keep this bundle and your own checkpoints as evidence; ask the witnesses for"
        " theirs.",
    ),
    "tree": Advice(
        "条目与已签名的根不符，其后的内容不可采信。请重新取得审计包；再次不符，即是签名之后被改动。",
        "Entries and signed root differ: do not rely on what follows. Get the bundle again; if it differs again, it was"
        " changed after signing.",
    ),
    "leaves": Advice(
        "日志中有不是本系统写入的内容。请按所示条号要求说明来源。",
        "The journal has entries that this system does not write. Ask where those of these numbers came from.",
    ),
    "chains": Advice(
        "某证照（文书）的办理过程有缺失、重复或被调换。请按条号调取该件的卷宗核对。",
        "Steps of a certificate or document are missing, doubled or exchanged. Compare with its paper file.",
    ),
    "indices": Advice(
        "索引号被重复使用或没有计划，二维码和状态可能指向另一件。请按索引号查出有关文件。",
        "An index was used twice or never planned: codes and statuses may point to another file.",
    ),
    "seals": Advice(
        "有用印没有登记、重复登记或没有授权。请与用印审批记录、密码设备的计数核对。",
        "Uses of a seal are missing, doubled or without authorisation. Compare with approvals and the token's counter.",
    ),
    "times": Advice(
        "时间前后矛盾：时钟不一致，或倒签。请核对签发机、见证和本机的时钟，再看所示条目的时间戳。",
        "Times contradict each other: clocks apart, or back-dating. Compare the clocks, then the files' timestamps.",
    ),
    "register": Advice(
        "台账与日志不符：台账中的行疑被改动、删除或加入。以日志为准，按所示的表和键核对原件。",
        "Register and journal differ: rows were changed, deleted or put in. The journal holds; look at the rows named.",
    ),
    "standing": Advice(
        "台账中的状态与日志得出的不同。以日志为准，按索引号查明是谁改了状态。",
        "Statuses in the register are not those that follow from the journal. The journal holds.",
    ),
    "status": Advice(
        "公布的状态清单与日志不符：公众核验看到的可能是错的。请立即要求重新公布，并查明差异由来。",
        "A published status list is not what the journal says: the public may have been shown wrong statuses.",
    ),
    "trust": Advice(
        "信任清单有问题：有未登记、被隐去或次序不对的。请与自存的各期清单对照。",
        "Trust lists are unsigned, hidden, unregistered or out of order. Compare with the lists you kept.",
    ),
    "seal-list": Advice(
        "印章清单有问题：有未登记、被隐去或次序不对的。请与自存的各期清单对照。",
        "Seal lists are unsigned, hidden, unregistered or out of order. Compare with the lists you kept.",
    ),
    "files": Advice(
        "所抽文件没有登记。请用 certctl verify 核验该文件，并查明其来源。",
        "A file drawn elsewhere is not registered. Verify it, and find out where it came from.",
    ),
}
"""One for every check of the audit."""
