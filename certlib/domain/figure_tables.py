"""The tables of the statistics report as data: what each is called, its columns, their units.

The report in JSON, its CSV files, the tables of the command line and those of the page are all made from these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its member in a row, its heading in Chinese and English; `unit` in Chinese, or empty."""

    key: str
    chinese: str
    english: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the report: its member in the report, its title, its columns."""

    key: str
    chinese: str
    english: str
    columns: tuple[Column, ...]

    def cells(self, row: Mapping[str, Any]) -> list[Any]:
        """A row of the report in the order of the columns."""
        return [row[column.key] for column in self.columns]


_COUNTS = (
    Column("certificates", "证照", "Certificates", "件"),
    Column("acts", "状态变动", "Acts", "件"),
    Column("documents", "文书", "Documents", "件"),
    Column("total", "合计", "Total", "件"),
)
_BLANKS = (
    Column("received", "入库", "Received", "张"),
    Column("stock", "在库", "In stock", "张"),
    Column("allotted", "已领用", "Allotted", "张"),
    Column("used", "已使用", "Used", "张"),
    Column("spoiled", "作废", "Spoiled", "张"),
    Column("lost", "遗失", "Lost", "张"),
    Column("destroyed", "销毁", "Destroyed", "张"),
    Column("difference", "差额", "Difference", "张"),
)
TABLES: tuple[Table, ...] = (
    Table("items", "按事项", "By item", (Column("item", "序号", "No."), Column("title", "事项", "Item"), *_COUNTS)),
    Table(
        "authorities",
        "按机关",
        "By authority",
        (
            Column("name", "机关", "Authority"),
            Column("acceptance", "受理", "Accepted", "件"),
            Column("review", "审核", "Reviewed", "件"),
            Column("approval", "决定", "Decided", "件"),
            *_COUNTS,
        ),
    ),
    Table(
        "outcomes",
        "按结果",
        "By outcome",
        (
            Column("kind_words", "类别", "Kind"),
            Column("name", "证照或文书", "Certificate or document"),
            Column("label", "办理", "Action"),
            Column("count", "数量", "Count", "件"),
        ),
    ),
    Table("times", "按时间", "By time", (Column("time", "时间", "Time"), *_COUNTS)),
    Table(
        "states",
        "按状态（现时）",
        "By state, now",
        (Column("words", "状态", "State"), Column("count", "证照", "Certificates", "件")),
    ),
    Table(
        "deliveries",
        "归集推送时延",
        "Delay of deliveries",
        (
            Column("name", "推送对象", "Target"),
            Column("done", "已送达", "Arrived", "条"),
            Column("waiting", "待送", "Waiting", "条"),
            Column("dead", "未能送达", "Given up", "条"),
            Column("p50", "中位", "Median", "秒"),
            Column("p95", "95%", "95 %", "秒"),
            Column("max", "最长", "Longest", "秒"),
        ),
    ),
    Table(
        "overdue",
        "逾期办件",
        "Overdue cases",
        (
            Column("words", "情形", "Duty"),
            Column("case", "办件编号", "Case"),
            Column("item", "序号", "No."),
            Column("name", "事项或结果", "Item or outcome"),
            Column("authority_name", "机关", "Authority"),
            Column("due", "期限", "Due"),
            Column("days", "逾期工作日", "Working days late", "日"),
        ),
    ),
    Table("paper", "空白证照结存", "Balance of blanks", (Column("name", "证照种类", "Type"), *_BLANKS)),
)
"""The tables of the report, in their order."""
