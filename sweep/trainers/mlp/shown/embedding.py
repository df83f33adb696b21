"""Which characters does the winner take for alike?"""

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
"""More characters than this would cover each other; the most frequent ones are labelled."""


def embedding_map(evidence: Evidence) -> EmbeddingMap:
    """Return the winner's embedding in two dimensions, its symbols as they are shown."""
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
    """Return points in the plane in which they differ most, and the share of variance it holds.

    One or two dimensions are shown as they are, a lacking one as 0. Beyond that these are the first
    two principal components; the sign of each is such that its largest entry is positive.

    Args:
        embedding: One point a row, shape (V, D).

    Returns:
        The points, float64, shape (V, 2), and the share from 0 to 1.
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
    """Return a symbol so that it can be seen: a space by its sign, a mark on a dotted circle.

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
    """Return all symbols of a vocabulary as they are shown, the end mark as the word ``end``."""
    return ["end", *map(symbol_text, vocabulary[1:])]


def plot_embedding_map(numbers: EmbeddingMap) -> Figure:
    """Draw each frequent character where it lies, the others as dots."""
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
