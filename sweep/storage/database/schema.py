"""Define the statements that read Optuna's schema, and check its version.

Optuna 5.0 creates these tables, whose version has not changed since Optuna 3.2. Statements are constant; all
values are parameters. ``reading`` runs them; ``optuna_schema`` defines the tables for writing.
"""

from typing import NamedTuple

from sweep.errors import StorageError

VERSION = "v3.2.0.a"
"""The supported version of the tables; Optuna refuses every other version."""

TABLES_VERSION = "SELECT version_num FROM alembic_version"

OPTUNA_VERSION = "SELECT library_version FROM version_info"
"""Selects the version of Optuna that made the tables."""

STUDY_IDS = "SELECT study_name, study_id FROM studies ORDER BY study_id"

STUDY_ATTRIBUTES = "SELECT key, value_json FROM study_user_attributes WHERE study_id = ?"

HIDDEN_STUDY_ATTRIBUTE = "SELECT value_json FROM study_system_attributes WHERE study_id = ? AND key = ?"
"""Selects a system attribute of a study, which the dashboard does not show."""

HIDDEN_ATTRIBUTES = "SELECT value_json FROM study_system_attributes WHERE key = ?"
"""Selects a system attribute of all studies."""

OWN_STUDIES = "SELECT study_id FROM study_user_attributes WHERE key = 'identity'"
"""The studies that sweep made; Optuna made the others, the guests, without it."""

DISTRIBUTIONS = """
    SELECT param_name, distribution_json FROM trial_params
    WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?)
    GROUP BY param_name, distribution_json ORDER BY min(param_id)
"""
"""Every distribution of every hyperparameter of a study, in order of first use."""

REPORTS = """
    SELECT trial_id, step, intermediate_value, intermediate_value_type FROM trial_intermediate_values
    WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?) ORDER BY trial_id, step
"""
"""What the trials of a study reported on the way; sweep's own store it with their segments."""

DIRECTIONS = "SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective"


class TrialStatements(NamedTuple):
    """The statements that read some trials; each has one parameter, which selects the trials."""

    trials: str
    values: str
    parameters: str
    attributes: str
    hidden_attributes: str
    """Selects system attributes, which the dashboard shows neither on a trial's page nor in the table."""


OF_STUDY = TrialStatements(
    """
    SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials WHERE study_id = ?
    ORDER BY trial_id
    """,
    """
    SELECT trial_id, value, value_type FROM trial_values
    WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?) ORDER BY trial_id, objective
    """,
    """
    SELECT trial_id, param_name, param_value, distribution_json FROM trial_params
    WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?) ORDER BY param_id
    """,
    """
    SELECT trial_id, key, value_json FROM trial_user_attributes
    WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?) ORDER BY trial_user_attribute_id
    """,
    """
    SELECT trial_id, key, value_json FROM trial_system_attributes
    WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?) ORDER BY trial_system_attribute_id
    """,
)
"""Reads the trials of a study; the parameter is the study's id."""

OF_TRIALS = TrialStatements(
    """
    SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials WHERE trial_id = ANY(?)
    ORDER BY trial_id
    """,
    """
    SELECT trial_id, value, value_type FROM trial_values WHERE trial_id = ANY(?) ORDER BY trial_id, objective
    """,
    """
    SELECT trial_id, param_name, param_value, distribution_json FROM trial_params WHERE trial_id = ANY(?)
    ORDER BY param_id
    """,
    """
    SELECT trial_id, key, value_json FROM trial_user_attributes WHERE trial_id = ANY(?)
    ORDER BY trial_user_attribute_id
    """,
    """
    SELECT trial_id, key, value_json FROM trial_system_attributes WHERE trial_id = ANY(?)
    ORDER BY trial_system_attribute_id
    """,
)
"""Reads trials by a list of ids; only PostgreSQL supports lists."""

TRIAL_IDS = "SELECT number, trial_id FROM trials WHERE study_id = ?"


def check_version(where: str, found: list[tuple[str]]) -> None:
    """Refuse tables of another version.

    Args:
        where: The database's name in messages.
        found: The rows of ``TABLES_VERSION``.

    Raises:
        StorageError: If the version differs; the message contains the command that helps.
    """
    versions = [version for (version,) in found]
    if versions == [VERSION]:
        return
    shown = ", ".join(f"{version!s:.40}" for version in versions) or "none"
    is_older = bool(versions) and shown < VERSION
    helps = (
        "`optuna storage upgrade --storage URL` upgrades its tables"
        if is_older
        else "update sweep and Optuna"
    )
    raise StorageError(
        f"{where} was made by another version of Optuna (its tables are {shown}, not {VERSION}); {helps}"
    )
