"""The campaign in small: each case that the other tests have not, once, and nothing may be wrong after it."""

import collections
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.campaign import PLANS, markdown, read_rows, run_case
from tests.faults.invariants import Findings
from tests.faults.workspaces import remove_trained

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads children from /proc")


@pytest.fixture(scope="module", autouse=True)
def _no_folder_stays() -> Iterator[None]:
    yield
    remove_trained()


@pytest.mark.parametrize("name", [name for name, plan in PLANS.items() if plan.smoke])
def test_nothing_is_lost_doubled_or_left(name: str, tmp_path: Path) -> None:
    """All invariants hold after the case, for every row that it fills."""
    tmp_path.chmod(0o755)
    so_far: collections.Counter[str] = collections.Counter()
    for seed in range(PLANS[name].smoke):
        rows = run_case(name, seed, so_far, tmp_path)
        assert {row: found for row, found in rows.items() if found.faults} == {}
        assert sum(found.tried for found in rows.values()) > 0


def test_a_fault_is_seen_in_the_table(tmp_path: Path) -> None:
    """A row with a lost result has no bound, and a row without one has 3 in n."""
    results = tmp_path / "faults.jsonl"
    line = '{"row": "%s", "tried": 30, "lost": %d, "doubled": 0, "zombies": 0, "tracebacks": 0, '
    line += '"others": [], "notes": {}}\n'
    results.write_text((line % ("kill -9 driver: a", 0)) * 2 + line % ("kill -9 both: b", 1))
    rows = read_rows(results)
    assert rows["kill -9 driver: a"] == Findings(tried=60)
    table = markdown(rows).splitlines()
    assert "| kill -9 a (60 driver) | 60 | 0 | 0 | 0 | 0 | 0 | 5.0% |" in table
    assert "| kill -9 b (30 both) | 30 | 1 | 0 | 0 | 0 | 0 |  |" in table
    assert "| **all kills at windows** | 90 | 1 | 0 | 0 | 0 | 0 |  |" in table


def test_a_campaign_starts_and_ends(tmp_path: Path) -> None:
    """Without time for a case it runs none, but all that surrounds the cases."""
    script = Path(__file__).with_name("campaign.py")
    command = [sys.executable, str(script), "--minutes", "0", "--results", str(tmp_path / "none.jsonl")]
    (tmp_path / "none.jsonl").touch()
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("| ")
