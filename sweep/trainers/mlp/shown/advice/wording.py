"""Word findings about a study of the MLP: first the finding, then the advice."""

from sweep.reporting.table.columns import short_count
from sweep.trainers.mlp.shown.advice.baselines import AgainstBaselines, Known
from sweep.trainers.mlp.shown.advice.budgets import LongerBudget
from sweep.trainers.mlp.shown.advice.new_words import OnNewWords
from sweep.trainers.mlp.shown.advice.rates import AutoRates, FarFromRecommended

_COUNTS = ("one character", "two characters", "three characters", "four characters", "five characters")


def say_baselines(found: AgainstBaselines) -> str:
    """Return the comparison with count tables and the known configuration."""
    counting = (
        f"counting {_COUNTS[found.context_length - 1]} reaches {found.count_table:.4f} without training "
        f"(uniform {found.uniform:.4f})"
    )
    if found.not_better == found.configurations:
        return (
            f"No configuration beats a count table: {counting}, the best of {found.configurations} "
            f"configurations {found.best:.4f}. Train longer, or look for a learning rate with "
            f"`sweep lr-find {found.study}`."
        )
    gain = f"{found.count_table - found.best:.4f} better"
    text = f"{_capital(counting)}; the best configuration is {gain}"
    some = f", and {found.not_better} of {found.configurations} are no better" if found.not_better else ""
    return f"{text}{some}.{_say_known(found.known, found.best)}"


def _say_known(known: Known | None, best: float) -> str:
    if known is None:
        return ""
    name = "the notebook's configuration" if known.is_notebook else "the known configuration"
    trial = f"trial {known.trial}" + (f" (mean of {known.seeds} seeds)" if known.seeds > 1 else "")
    if known.is_best:
        return f" No configuration beats {name}, {trial}."
    return f" {_capital(name)}, {trial}, is {known.dev_loss - best:.4f} above it."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def say_new_words(found: OnNewWords) -> str:
    """Return the best trial's losses on repeated and on new words."""
    noted = found.noted
    seen = noted.dev_words - noted.new_words
    dedupe = '"normalized"' if found.has_look_alikes else "true"
    return (
        f"{seen:,} of {noted.dev_words:,} dev words also occur in train: trial {noted.trial} has "
        f"{noted.seen_loss:.4f} on them and {noted.new_loss:.4f} on the others, together "
        f"{found.dev_loss:.4f}; dedupe = {dedupe} in [data] removes repeats."
    )


def say_budgets(found: LongerBudget) -> str:
    """Return the comparison with a smaller budget that was ahead at equal examples."""
    return (
        f"After {short_count(found.examples)} examples, trial {found.rival} had {found.rival_loss:.4f} "
        f"and the best, trial {found.trial}, had {found.loss:.4f}, but their budgets are "
        f"{short_count(found.rival_budget)} and {short_count(found.budget)}: try trial {found.rival}'s "
        "configuration with the larger budget too."
    )


def say_rates(found: FarFromRecommended) -> str:
    """Say how far the learning rate is from the recommended one, and what to do."""
    times = found.recommended / found.learning_rate
    factor = f"{times:.2g} times as high" if times > 1 else f"{1 / times:.2g} times lower"
    text = (
        f"learning_rate {found.learning_rate:.3g} of trial {found.trial}, the best: the range test "
        f"recommends {found.recommended:.3g}, {factor} ({found.what})"
    )
    if not found.is_of_best:
        return f"{text}; `sweep lr-find {found.study}` tests trial {found.trial} itself."
    if found.is_searched:
        return f"{text}: add trials with a search range around it, or list it as a [[trial]]."
    return f"{text}: set it under [fixed], or search learning_rate up to it and beyond."


def say_auto_rates(found: AutoRates) -> str:
    """Say what the range test behind ``auto`` does not know."""
    ends = dict.fromkeys((f"{found.low:.3g}", f"{found.high:.3g}"))
    return (
        f"learning_rate = auto found {' to '.join(ends)} by range tests, which do not know the number of "
        "steps: search learning_rate up to three times as high for short trainings, and lower for long ones."
    )
