"""`./run prove`: the long proofs. `--share` runs a seeded share of each; the seed is printed and may be given."""

from __future__ import annotations

import argparse
import sys

from tests.prove.apply import apply_killed_at_every_boundary
from tests.prove.destroy import destroy_killed_at_every_boundary
from tests.prove.faults import faults_at_every_call
from tests.prove.fuzz import fuzzed
from tests.prove.kills import killed_under_load
from tests.prove.rotate import rotate_killed_at_every_boundary


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run prove", description=__doc__)
    proofs = {
        "apply": apply_killed_at_every_boundary,
        "rotate": rotate_killed_at_every_boundary,
        "destroy": destroy_killed_at_every_boundary,
        "faults": faults_at_every_call,
        "kills": killed_under_load,
        "fuzz": fuzzed,
    }
    parser.add_argument("only", nargs="*", choices=[[], *proofs], help="which; all when none is named")
    parser.add_argument("--share", type=float, default=1.0, help="between 0 and 1; all when not given")
    parser.add_argument("--seed", type=int, default=20261123)
    chosen = parser.parse_args()
    print(f"share {chosen.share:g}, seed {chosen.seed}", flush=True)
    held = [proofs[name](chosen.share, chosen.seed) for name in chosen.only or proofs]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
