"""Has any of the tested versions a known vulnerability? ``pip-audit``, or a word why it could not say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

DEADLINE_S = 120
CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"


def main() -> int:
    """Print what is known; 1 where something is."""
    try:
        packages = _ask()
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        print(f"audit: not done, no source of advisories can be reached ({str(error)[:200]})")
        return 0
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if len(skipped) == len(packages):
        print(f"audit: not done, the index has no advisories ({packages[0]['skip_reason']})")
        return 0
    known = [(p["name"], p["version"], v["id"]) for p in packages for v in p.get("vulns", ())]
    for name, version, vulnerability in known:
        print(f"audit: {name} {version} has {vulnerability}")
    print(f"audit: {len(packages) - len(skipped)} packages checked, {len(skipped)} unknown to the index")
    return int(bool(known))


def _ask() -> list[dict[str, Any]]:
    """Return what pip-audit knows of each package; it may end with another status for what it found."""
    options = ["--requirement", str(CONSTRAINTS), "--no-deps", "--disable-pip", "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", *options, "--progress-spinner", "off"],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )
    if not done.stdout.strip():
        raise ValueError(done.stderr.strip().rpartition("\n")[2])
    found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    return found


if __name__ == "__main__":
    sys.exit(main())
