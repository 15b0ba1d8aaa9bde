"""`certctl erase`: personal data deleted at the holder's request or when its time is over, by two persons."""

from __future__ import annotations

from typing import Annotated

import typer

from certlib.cli.options import AsJson, Home
from certlib.cli.output import print_json
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings

CLIENT = "certctl"


def erase(
    subject: Annotated[str, typer.Argument(help="证照标识、文书编号，或持证主体代码 · whose or what")],
    *,
    grounds: Annotated[str, typer.Option(help="删除依据 · on which grounds")],
    person: Annotated[str, typer.Option(help="经办人 · by whom")],
    second_person: Annotated[str, typer.Option(help="复核人，须为另一人 · and a second person")],
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 · do not ask")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """依法删除个人信息：内容、文件与盐值删去，编号、日期、状态与日志保留，不可恢复 · erase personal data.

    只限已注销、撤销、作废等不再有效的证照及其文书 · only of what is no longer in force.
    """
    if not yes:
        typer.confirm(f"删除 {subject} 的个人信息，不可恢复。确定？· This cannot be undone. Sure?", abort=True)
    with open_office(Settings.load(home)) as office:
        erased = office.erase(subject, grounds=grounds, person=person, second_person=second_person, client=CLIENT)
        office.sequence()
    if as_json:
        print_json({"erased": erased.numbers, "kept": [one.as_json() for one in erased.kept]})
        return
    for number in erased.numbers:
        typer.echo(f"{number} 的个人信息已删除，日志已登记。")
    for one in erased.kept:
        typer.echo(f"{one.what} 未删除：{one.why}。")
