"""Has any of the tested versions a known vulnerability? ``pip-audit``, or a word why it could not say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"


def main() -> int:
    """Print what is known; 1 where something is."""
    options = ["--requirement", str(CONSTRAINTS), "--no-deps", "--disable-pip", "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", *options, "--progress-spinner", "off"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = done.stderr.strip().rpartition("\n")[2]
        print(f"audit: not done, no source of advisories can be reached ({reason[:200]})")
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


if __name__ == "__main__":
    sys.exit(main())
