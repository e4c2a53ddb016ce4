"""`infant-arm bench goals`: agents learn from a budget of real steps, and reach for pictures."""

from collections import Counter

from agents.tools.files import replacing
from infant_env.errors import UserError

from ...runs.in_turn import turn
from ...show import tables
from .agents.registry import label_of, new_agent
from .config import GoalOptions
from .goals import CHECKSUM, MOST
from .table import as_table, rows_of
from .tasks import goals_checksum, outcomes, run_missing, tries_of

TABLE = "goals.md"
"""File of the table in the folder of the results."""


def run(options: GoalOptions, seed: int) -> dict[str, float]:
    """Runs what is missing, prints the table and writes it.

    Returns:
        By agent and budget, such as `imagery 3000`: the share of goals whose hand ends within 2 cm.
    """
    _check(options.agent)  # before anything is learned
    tries = tries_of(options, seed)
    with turn(options.out, "bench-goals", "tries agents"):
        run_missing(tries, options)
    rows = rows_of(outcomes(tries))
    about = _about(options)
    print(f"{about}\n{tables.as_text(*as_table(rows))}")
    with replacing(options.out / TABLE) as temporary:
        temporary.write_text(f"{about}\n\n{tables.as_markdown(*as_table(rows))}\n")
    return {f"{row.agent} {row.budget}": row.within[2].mean for row in rows}


def _check(agents: tuple[str, ...]) -> None:
    """Raises a UserError if there is no such agent, or if two have one name."""
    for name in agents:
        new_agent(name)
    labels = Counter(map(label_of, agents))
    twice = [label for label, count in labels.items() if count > 1]
    if twice:
        raise UserError(f"got --agent {' '.join(agents)}, with two named {twice[0]}; give each class a name of its own")


def _about(options: GoalOptions) -> str:
    """The goals in words; whether they are those of other machines."""
    found = goals_checksum(options.goals, options.validation)
    what = "validation goals" if options.validation else "goals"
    how = "95 % intervals: bootstrap over seeds and goals; of shares also Wilson's, where that is wider"
    told = f"{options.goals} {what}, checksum {found}; {how}"
    other = options.goals == MOST and not options.validation and found != CHECKSUM
    return told + (f"; other goals than usual, whose checksum is {CHECKSUM}: do not compare" if other else "")
