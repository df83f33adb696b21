"""Print what the judge finds, as Markdown tables."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.benchmarks.samplers.judge import (
    Estimate,
    Results,
    long_enough,
    mean_ranks,
    median_quantile,
    on_every_task,
    own_ms,
    relative_trials,
    typical_quantile,
    worst_against,
)
from tests.benchmarks.samplers.results import COUNTS, Result
from tests.benchmarks.samplers.searches import RANDOM, REFERENCE

REFERENCE_COUNT = 50


def summary(results: Results) -> str:
    """Return one row per search that has results on every task, the best mean rank after 50 trials first."""
    reached = {count: long_enough(results, count) for count in COUNTS}
    ranks = {count: mean_ranks(results, count) for count in COUNTS}
    names = on_every_task(results)
    names.sort(key=lambda name: ranks[REFERENCE_COUNT].get(name, Estimate(float("inf"), 0, 0)).value)
    titles = [
        "search",
        *(f"quantile at {count}, %" for count in COUNTS),
        *(f"rank at {count}" for count in COUNTS),
        f"worst against {RANDOM} at {COUNTS[0]}",
        f"trials to {REFERENCE}'s result at {REFERENCE_COUNT}",
        "own ms",
        "seeds",
    ]
    return _table(titles, (_summary_row(name, results, reached, ranks) for name in names))


def _summary_row(
    name: str,
    results: Results,
    reached: dict[int, dict[str, dict[str, list[Result]]]],
    ranks: dict[int, dict[str, Estimate]],
) -> list[str]:
    has = {count: all(name in searches for searches in reached[count].values()) for count in COUNTS}
    everywhere = [result for searches in results.values() for result in searches[name]]
    return [
        name,
        *(_percent(typical_quantile(reached[c], name, c)) if has[c] else "" for c in COUNTS),
        *(_plain(ranks[c][name], 1) if name in ranks[c] else "" for c in COUNTS),
        _worst(reached[COUNTS[0]], name),
        _relative(results, name),
        f"{_own_ms(everywhere):.1f}",
        str(min(len(searches[name]) for searches in results.values())),
    ]


def _worst(results: Results, name: str) -> str:
    if not all(RANDOM in searches and name in searches for searches in results.values()):
        return ""
    task, chance = worst_against(results, name, RANDOM, COUNTS[0])
    return f"{_plain(chance, 2)}, {task}"


def _relative(results: Results, name: str) -> str:
    reached = long_enough(results, REFERENCE_COUNT)
    if not all(REFERENCE in searches and name in searches for searches in reached.values()):
        return ""
    ratio, missed = relative_trials(reached, name, REFERENCE, REFERENCE_COUNT)
    return _plain(ratio, 2) + (f", missed on {missed}" if missed else "")


def _own_ms(found: Sequence[Result]) -> float:
    last = min(result.trials for result in found)
    return own_ms(found, max((count for count in COUNTS if count < last), default=0), last)


def incomplete(results: Results) -> str:
    """Return a line that names the searches without results on some task; empty if there are none."""
    counts = Counter(search for searches in results.values() for search in searches)
    names = [f"{name} ({n} of {len(results)})" for name, n in counts.items() if n < len(results)]
    return f"Not on every task: {', '.join(names)}." if names else ""


def by_task(results: Results, task: str) -> str:
    """Return a task's median quantiles, one row per search, the best after 50 trials first."""
    found = results[task]
    columns = {
        name: {
            count: median_quantile([result for result in results_of if result.trials >= count], count)
            for count in COUNTS
            if any(result.trials >= count for result in results_of)
        }
        for name, results_of in found.items()
    }
    names = sorted(found, key=lambda name: columns[name].get(REFERENCE_COUNT, Estimate(1, 1, 1)).value)
    rows = (
        [name, *(_percent(columns[name][c]) if c in columns[name] else "" for c in COUNTS)] for name in names
    )
    return _table([f"{task}: quantile, %", *(f"at {count}" for count in COUNTS)], rows)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, [":--", *["--:"] * (len(titles) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _percent(estimate: Estimate) -> str:
    return _plain(Estimate(*(100 * each for each in estimate)), 2)


def _plain(estimate: Estimate, digits: int) -> str:
    value, low, high = (f"{each:.{digits}f}" for each in estimate)
    return f"{value} ({low} to {high})"
