"""What several commands say in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from bench.data import Dataset
    from bench.yardstick import Yardstick


def announce(data: Dataset) -> None:
    """What must not be missed about the data, in one loud line; nothing where there is nothing."""
    if data.notice:
        click.secho(data.notice, fg="yellow", bold=True, err=True)


def left_out(yardstick: Yardstick, metrics: str | None, n: int) -> str:
    """The usual metrics that n images do not allow, in words; empty where others were asked for."""
    return yardstick.left_out(n) if metrics is None else ""
