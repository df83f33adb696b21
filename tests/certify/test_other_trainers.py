"""A trainer that is not the MLP is confirmed, replayed and exported; one with a test part is tested."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import FloatDistribution, distribution_to_json

from sweep import task as seam
from sweep.certify.config_file import choose_trial, load_config, load_exported_data, write_config
from sweep.certify.confirm_plan import Candidate, ConfirmPlan, ConfirmSettings, Job, difference_that_matters
from sweep.certify.provenance import Provenance
from sweep.certify.replay import Place, choose_place, config_of, train_again
from sweep.certify.stored_confirmation import Confirmation
from sweep.certify.study_data import StudyData
from sweep.certify.test_split.final_test import Exported, describe_test, run_final_test
from sweep.certify.test_split.ledger import read_ledger
from sweep.certify.units.report import report_units
from sweep.certify.verdict import MEASURES, certificate_of, confirmation_columns, judge
from sweep.definition.records import StudyRecord
from sweep.errors import ConfigError, DataError, NotFoundError, TestSplitError
from sweep.storage.database import Database
from tests.support import study_records
from tests.support.study_records import trial
from tests.support.toy_task import TOY, ToyConfig
from tests.support.unit_toy import TEST, UNIT_TOY

HERE = Place(engine="toy", device="cpu")

DEV_LOSS = (0.5 - 0.3) ** 2 + 1 / 10 + 6_728 / 1_000_003 / 100
"""Of x 0.5, y 1 and seed 7 after two steps, which fold the seed into (7 * 31 + 0) * 31 + 1 = 6,728."""


@pytest.fixture(autouse=True)
def _toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The toys can be found by name, and looks are recorded in a ledger of the test's own."""
    monkeypatch.setitem(seam.BUILT_IN, "toy", "tests.support.toy_task:TOY")
    monkeypatch.setitem(seam.BUILT_IN, "unit-toy", "tests.support.unit_toy:UNIT_TOY")
    monkeypatch.setenv("SWEEP_LEDGER", str(tmp_path / "ledger.jsonl"))


def searched(trainer: str = "toy") -> StudyRecord:
    """A study of a toy with two configurations; trial 1 is the better one."""
    identity = {
        "trainer": trainer,
        "sampler": "random",
        "pruner": "none",
        "seed": 0,
        "replicates": 1,
        "objective": "dev_loss",
        "data_sha256": "5" * 64,
        "data": {},
        "split": "",
        "trainer_version": 1,
        "fixed": {"num_steps": 2, "y": 1, "conduct": "learn"},
        "search": {"x": json.loads(distribution_to_json(FloatDistribution(0.0, 1.0)))},
        "trial": [],
    }
    trials = (
        trial(0, 0.3, params={"x": 0.9}, seed=7, engine="toy"),
        trial(1, DEV_LOSS, params={"x": 0.5}, seed=7, engine="toy"),
    )
    return StudyRecord(
        name="toy",
        goal="",
        identity=identity,
        data={"words": ""},
        data_facts="nothing to read",
        total_trials=2,
        keep=2,
        logged=(),
        environment={"torch": "2.13.0"},
        trials=trials,
    )


def confirmed() -> Confirmation:
    """Both configurations on two seeds, and the better one on two more."""
    losses = {
        Job(0, "choice", 0): 0.4,
        Job(0, "choice", 1): 0.6,
        Job(1, "choice", 0): 0.1,
        Job(1, "choice", 1): 0.3,
        Job(1, "certify", 0): 0.2,
        Job(1, "certify", 1): 0.4,
    }
    plan = ConfirmPlan(
        made="2026-01-01T12:00:00+00:00",
        fingerprint="5" * 64,
        trials_seen=2,
        candidates=tuple(Candidate(trial=n, estimate=0.2, search_loss=0.2, seconds=1.0) for n in (1, 0)),
        settings=ConfirmSettings(top=2, seeds=2, certify=2, delta=0.01),
    )
    trials = {
        job: trial(n, loss, seed=100 + n, labels=job._asdict())
        for n, (job, loss) in enumerate(losses.items())
    }
    return Confirmation(plan=plan, number=1, trials=trials, name="toy/confirm")


def provenance(trainer: str, **changes: Any) -> Provenance:
    """Where a configuration of a toy comes from."""
    values: dict[str, Any] = {
        "trainer": trainer,
        "study": "toy",
        "trial": 1,
        "dev_loss": DEV_LOSS,
        "data": {"words": ""},
        "data_sha256": "5" * 64,
        "trainer_version": 1,
        "engine": "toy",
        "device": "cpu",
        "sweep": "0.2.0",
        "torch": "2.13.0",
        "exported": "2026-01-01T12:00:00+00:00",
    }
    return Provenance(**{**values, **changes})


def test_an_export_names_its_trainer_and_comes_back(tmp_path: Path) -> None:
    """The file has the trainer and its [data] as a table, no key of the MLP, and reads back as it was."""
    study, path = searched(), tmp_path / "best.toml"
    write_config(study, choose_trial(study, None), path)
    raw = tomllib.loads(path.read_text())
    assert raw["config"] == {"num_steps": 2, "y": 1, "conduct": "learn", "x": 0.5, "seed": 7}
    assert raw["provenance"]["trainer"] == "toy"
    assert raw["provenance"]["data"] == {"words": ""}
    assert raw["provenance"].keys().isdisjoint({"words", "dedupe", "split"})
    config, found = load_config(path)
    assert config == ToyConfig(num_steps=2, x=0.5, seed=7)
    assert (found.trainer, found.data, found.dev_loss) == ("toy", {"words": ""}, DEV_LOSS)
    assert found.task is TOY


def test_an_export_without_data_has_no_hash_of_them(tmp_path: Path) -> None:
    """The hash of nothing is not written, and the file reads back as it was; other data are refused."""
    study, path = searched(), tmp_path / "best.toml"
    study.identity["data_sha256"] = hashlib.sha256(b"").hexdigest()
    write_config(study, choose_trial(study, None), path)
    assert "data_sha256" not in tomllib.loads(path.read_text())["provenance"]
    _, found = load_config(path)
    assert found.data_sha256 == study.data_sha256
    with pytest.raises(DataError, match="does not hold the data of the export"):
        load_exported_data({"words": ""}, found)


def test_an_export_of_a_trainer_that_is_not_installed_is_refused(tmp_path: Path) -> None:
    """One line names the trainer and those that are known."""
    study, path = searched(), tmp_path / "best.toml"
    write_config(study, choose_trial(study, None), path)
    path.write_text(path.read_text().replace('trainer = "toy"', 'trainer = "gone"'))
    with pytest.raises(NotFoundError, match="no trainer 'gone' is installed"):
        load_config(path)


def test_only_the_exported_data_are_read() -> None:
    """Data of another hash are refused with both hashes."""
    assert load_exported_data({"words": ""}, provenance("toy")).sha256 == "5" * 64
    with pytest.raises(DataError, match=r"the data does not hold the data of the export .sha256 55555555…"):
        load_exported_data({"words": ""}, provenance("toy", data_sha256="6" * 64))


def test_a_trial_is_replayed_to_its_loss() -> None:
    """The loss is the one computed by hand; the toy has no tolerance, so that another one is different."""
    study = searched()
    best = choose_trial(study, None)
    place = choose_place(TOY, HERE, "auto")
    config, data = config_of(TOY, study, best), StudyData(study).data
    assert place == HERE
    assert train_again(TOY, config, data, DEV_LOSS, place).verdict == "equal"
    assert train_again(TOY, config, data, DEV_LOSS + 1e-12, place).verdict == "different"


def test_a_confirmation_shows_no_column_of_the_mlp() -> None:
    """Its columns are the searched hyperparameter and the measures, its certificate is that of two seeds."""
    study, confirmation = searched(), confirmed()
    verdict = judge(study, confirmation)
    assert confirmation_columns(study) == [
        *("rank", "trial", "x", *MEASURES),
        *("seconds", "losses", "seeds", "reason"),
    ]
    assert [[row[name] for name in ("trial", "x", "mean")] for row in verdict.rows.records] == [
        [1, 0.5, 0.2],
        [0, 0.9, 0.5],
    ]
    certificate = certificate_of(confirmation, verdict)
    assert certificate is not None
    assert (certificate.dev_losses, certificate.seeds) == ((0.2, 0.4), (104, 105))
    assert certificate.mean == pytest.approx(0.3)
    assert certificate.sd == pytest.approx(0.1 * 2**0.5)
    assert certificate.optimism == pytest.approx(0.1)


def test_nothing_is_reported_of_units_that_a_trainer_does_not_have(tmp_path: Path) -> None:
    """The toy holds out nothing, so that a verdict is that of the seeds alone."""
    study, confirmation = searched(), confirmed()
    database = Database(f"sqlite:///{tmp_path}/toy.db")
    assert report_units(study, database, confirmation, judge(study, confirmation), StudyData(study)) is None


def test_a_trainer_without_a_test_part_is_not_tested(tmp_path: Path) -> None:
    """One line names the trainer, and no look is recorded."""
    with pytest.raises(TestSplitError, match="trainer toy has no test split"):
        look("toy", tmp_path)
    assert read_ledger() == []


def look(trainer: str, folder: Path, again: str = "") -> list[str]:
    """Look at the test part of a toy and return what is printed."""
    config = ToyConfig(num_steps=2, x=0.5, seed=7)
    export = Exported(config=config, provenance=provenance(trainer), section={"words": ""})
    database = Database(f"sqlite:///{folder}/toy.db")
    (final,) = run_final_test([export], database, again=again, device="auto", say=lambda text: None)
    return list(describe_test(final))


def test_a_trainer_with_a_test_part_is_tested_once(tmp_path: Path) -> None:
    """The items ff, g and Gg lose 1, 1.5 and 2 over a size of 5; a further look needs a reason."""
    assert len(TEST) == 3
    printed = look("unit-toy", tmp_path)
    assert printed[0] == f"dev loss   {DEV_LOSS:.4f} (equal, exported {DEV_LOSS:.4f})"
    assert printed[1] == "test loss  0.9000 (look 1, recorded)"
    assert printed[2].startswith("  95 % over items ")
    (recorded,) = read_ledger()
    assert recorded.test_loss == pytest.approx(4.5 / 5)
    with pytest.raises(TestSplitError, match="these test items were looked at before"):
        look("unit-toy", tmp_path)
    assert "(look 2, recorded)" in look("unit-toy", tmp_path, again="by hand")[1]


def test_the_difference_that_matters_is_the_users_or_the_trainers() -> None:
    """The MLP names 0.003 nats per character; the toy names none, so that the user must."""
    mlp, study = seam.load_task("mlp"), study_records.study(study_records.trial(0, 2.0))
    assert difference_that_matters(mlp, study, None) == 0.003
    assert difference_that_matters(mlp, study, 0.01) == 0.01
    assert difference_that_matters(TOY, study, 0.01) == 0.01
    with pytest.raises(ConfigError, match=r"trainer toy does not set the smallest .* difference .*--delta"):
        difference_that_matters(TOY, study, None)
    assert UNIT_TOY.metric.matters is None


def test_a_study_without_a_value_is_not_asked_what_matters() -> None:
    """Nothing can be confirmed, so that naming a difference would be in vain."""
    failed = study_records.study(study_records.trial(0, state="failed", reason="failed: no memory"))
    with pytest.raises(NotFoundError, match=r"no complete trial yet.*--as NAME.*sweep delete names"):
        difference_that_matters(TOY, failed, None)
