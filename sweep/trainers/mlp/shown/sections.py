"""List the report's sections of the MLP; ``reporting.page.sections`` lists those of every study."""

import dataclasses

from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import Part, Section
from sweep.reporting.page.html_page import escape
from sweep.reporting.page.section_of_plots import figures_section
from sweep.trainers.mlp.shown.embedding import embedding_map
from sweep.trainers.mlp.shown.learned import Learned


def _learning_rate(evidence: Evidence) -> Part:
    part = figures_section("lr-finder")(evidence)
    link = '<a href="lr_finder.html">lr_finder.html</a>'
    return dataclasses.replace(part, markup=f'{part.markup}<p class="note">How it was measured: {link}.</p>')


def _embedding(evidence: Evidence) -> Part:
    numbers = embedding_map(evidence)
    part = figures_section("embedding")(evidence)
    shown = (
        f"The embedding has {numbers.dimensions} dimensions; these two principal components contain "
        f"{numbers.explained:.0%} of its variance, so characters far apart here are far apart, but near ones "
        "may still differ."
        if numbers.dimensions > 2
        else "The embedding has only these dimensions."
    )
    return dataclasses.replace(part, markup=f'{part.markup}<p class="note">{shown}</p>')


def _words(evidence: Evidence) -> Part:
    words = evidence.more(Learned).sampled_words
    known = sum(is_known for _, is_known in words)
    items = "".join(
        f"<li{' class=known' if is_known else ''}>{escape(word) or '<i>empty</i>'}"
        f"{'<small>in the training words</small>' if is_known else ''}</li>"
        for word, is_known in words
    )
    says = f"{len(words)} words sampled from the best model, {known} of them in the training words (dotted)."
    return Part(markup=f'<p class="note">{says}</p><ol class="words">{items}</ol>')


SECTIONS: dict[str, Section] = {
    "learning-rate": Section(title="Learning rate", build=_learning_rate, before="learned"),
    "embedding": Section(title="Embedding", build=_embedding, before="test"),
    "words": Section(title="Sampled words", build=_words, before="test"),
    "weak": Section(
        title="Weak spots", build=figures_section("loss-by-position", "loss-by-character"), before="test"
    ),
}
"""Anchor -> section."""
