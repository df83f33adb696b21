"""Add the test of a study to its trainer; the capability ``task.TestsByRuns``."""

from collections.abc import Mapping
from pathlib import Path

from sweep.errors import StudyFileError
from sweep.metric import Metric
from sweep.task import program_kind_named
from sweep.trainers.program.config import ProgramConfig
from sweep.trainers.program.data import hash_test_files
from sweep.trainers.program.testing.keys import TEST, TEST_COMMAND, program_of_test
from sweep.trainers.program.testing.run import has_checkpoint, run_test
from sweep.values import Toml


def check_test_program(
    definition: Mapping[str, Toml], surroundings: Mapping[str, Toml], raw: Mapping[str, Toml]
) -> None:
    """Refuse a test that is inconsistent with the study's keys, by the rules of its kind of program."""
    test = program_of_test(definition)
    if test is None:
        return
    try:
        program_kind_named(test.kind).check(test.definition, surroundings, raw)
    except StudyFileError as error:
        key = TEST if TEST in definition else TEST_COMMAND
        raise StudyFileError(*(f"{key}: {line}" for line in error.lines)) from error


class TestedProgram:
    """A trainer whose study may have a test program."""

    __test__ = False  # not a test class for pytest

    definition: Mapping[str, Toml]
    surroundings: Mapping[str, Toml]
    metric: Metric
    unit = "file"
    """What a unit of the test split is called."""

    @property
    def why_untested(self) -> str | None:
        """The reason why the study has no test; None if it has one."""
        if program_of_test(self.definition) is not None:
            return None
        return (
            f'the study names no test; set {TEST} = "module:function" or {TEST_COMMAND} = [...] in its file '
            "to evaluate the test split"
        )

    def load_test_units(self, section: Mapping[str, Toml]) -> list[str]:
        """Return the hash of each file that ``[data] test_files`` names."""
        return hash_test_files(section, self.surroundings.get("start", "."))

    def same_source(self, section: Mapping[str, Toml]) -> list[Mapping[str, Toml]]:
        """Return the section unchanged, because files are not split."""
        return [section]

    def unit_key(self, unit: str) -> str:
        """Return the hash unchanged: only identical files count as the same."""
        return unit

    def check_test(self) -> None:
        """Refuse a test that cannot be started here; raises ``SweepError``."""
        program = program_of_test(self.definition)
        assert program is not None, "why_untested was asked"
        program_kind_named(program.kind).preflight(program.definition, self.surroundings, ())

    def has_checkpoint(self, folder: Path) -> bool:
        """Return whether a training's folder contains a checkpoint."""
        return has_checkpoint(folder)

    def run_test(self, config: ProgramConfig, folder: Path, *, study: str, device: str) -> float:
        """Return the metric on the test split, for the checkpoint in a training's folder."""
        program = program_of_test(self.definition)
        assert program is not None, "why_untested was asked"
        return run_test(
            program,
            self.surroundings,
            config,
            self.metric,
            trained=folder.absolute(),
            study=study,
            device=device,
        )
