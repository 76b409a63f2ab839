"""What several commands say in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from bench.data import Dataset


def announce(data: Dataset) -> None:
    """What must not be missed about the data, in one loud line; nothing where there is nothing."""
    if data.notice:
        click.secho(data.notice, fg="yellow", bold=True, err=True)
