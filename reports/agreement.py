"""Whether two extractors order the cells alike: what only one of them sees says nothing of the GANs."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from scipy import stats

from reports.groups import Group

LEAST = 3
"""Cells below which a rank correlation is 1 or -1 whatever happens."""


@dataclass(frozen=True)
class Agreement:
    """Spearman's rank correlation of the mean FIDs of n cells on both extractors."""

    rho: float
    cells: int

    @property
    def text(self) -> str:
        """One sentence."""
        return (
            f"Spearman's rank correlation of FID on the first and on the second extractor is {self.rho:.2f} over "
            f"{self.cells} cells; where they disagree, the order is one extractor's taste."
        )


def agreement(board: pd.DataFrame, group: Group) -> Agreement | None:
    """Of a leaderboard's cells that both have scored; None where they are fewer than three, or all alike."""
    second = group.metric("fid_second")
    if second not in board:
        return None
    scored = board[board["kind"] == "cell"].dropna(subset=["fid", second])
    if len(scored) < LEAST or scored["fid"].nunique() == 1 or scored[second].nunique() == 1:
        return None
    return Agreement(float(stats.spearmanr(scored["fid"], scored[second]).statistic), len(scored))
