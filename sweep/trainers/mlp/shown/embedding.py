"""Plot the embedding of the best model's characters."""

import dataclasses
import unicodedata
from collections.abc import Sequence

import numpy as np

from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.theme import GREY, axis, layout, plain, shown
from sweep.trainers.mlp.shown.learned import Learned
from sweep.trainers.mlp.shown.note_kinds import EmbeddingMap
from sweep.trainers.mlp.words.corpus import Corpus

MAX_LABELS = 120
"""Number of labelled characters, the most frequent ones; more labels would overlap."""


def embedding_map(evidence: Evidence) -> EmbeddingMap:
    """Return the best model's embedding in two dimensions, with displayed symbols."""
    learned = evidence.more(Learned)
    noted = learned.noted
    numbers = map_embedding(learned.embedding, evidence.data) if noted is None else noted.embedding
    return dataclasses.replace(numbers, labels=symbol_texts(numbers.labels))


def map_embedding(embedding: np.ndarray, data: Corpus) -> EmbeddingMap:
    """Return an embedding, shape (V, D), in two dimensions."""
    plane, explained = principal_plane(embedding)
    count = np.bincount(data.dev.symbols, minlength=len(embedding))
    count[0] = len(data.dev.lengths)  # each word ends once
    return EmbeddingMap(
        labels=list(data.vocabulary),
        x=plain(plane[:, 0].tolist()),
        y=plain(plane[:, 1].tolist()),
        count=count.tolist(),
        dimensions=embedding.shape[1],
        explained=plain([explained])[0],
    )


def principal_plane(embedding: np.ndarray) -> tuple[np.ndarray, float]:
    """Return points in the plane of their largest variance, and the fraction of variance in it.

    One or two dimensions are returned unchanged, a missing one as 0. Otherwise these are the first two
    principal components, each with the sign that makes its largest entry positive.

    Args:
        embedding: One point per row, shape (V, D).

    Returns:
        The points, float64, shape (V, 2), and the fraction, from 0 to 1.
    """
    points = embedding.astype(np.float64)
    if points.shape[1] <= 2:
        return np.pad(points, ((0, 0), (0, 2 - points.shape[1]))), 1.0
    centred = points - points.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    plane = left[:, :2] * sizes[:2]
    plane *= np.where(plane[np.abs(plane).argmax(axis=0), [0, 1]] < 0, -1, 1)
    total = float((sizes**2).sum())
    return plane, float((sizes[:2] ** 2).sum()) / total if total else 1.0


def symbol_text(symbol: str) -> str:
    """Return a visible text for a symbol: a sign for a space, a mark on a dotted circle.

    Examples:
        >>> symbol_text("a"), symbol_text(" "), symbol_text("<")
        ('a', '␣', '&lt;')
    """
    if symbol.isspace():
        return "␣"
    if unicodedata.combining(symbol[0]):
        return f"◌{symbol}"
    return shown(symbol)


def symbol_texts(vocabulary: Sequence[str]) -> list[str]:
    """Return the displayed texts of a vocabulary, with ``end`` for the end mark."""
    return ["end", *map(symbol_text, vocabulary[1:])]


def plot_embedding_map(numbers: EmbeddingMap) -> Figure:
    """Draw frequent characters as labels, the others as dots."""
    order = sorted(range(len(numbers.labels)), key=lambda k: (-numbers.count[k], k))
    named, dots = sorted(order[:MAX_LABELS]), sorted(order[MAX_LABELS:])
    figure = Figure()
    for places, mode in ((dots, "markers"), (named, "text")):
        figure.add_scatter(
            x=[numbers.x[k] for k in places],
            y=[numbers.y[k] for k in places],
            text=[numbers.labels[k] for k in places],
            customdata=[numbers.count[k] for k in places],
            mode=mode,
            marker={"color": GREY, "size": 4},
            textfont={"size": 17},
            hovertemplate="%{text}<br>(%{x:.3f}, %{y:.3f})<br>%{customdata:,} times on dev<extra></extra>",
        )
    names = ("first", "second")
    kind = "principal component" if numbers.dimensions > 2 else "dimension"
    x, y = (axis(f"{name} {kind}") for name in names)
    y |= {"scaleanchor": "x", "scaleratio": 1}
    figure.update_layout(**layout(x, y))
    return figure
