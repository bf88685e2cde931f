"""`./run bench`: every promised figure with its bound; exits with 1 when one is over."""

from __future__ import annotations

import argparse
import sys

from tests.bench.apply import apply_over_longest_chain
from tests.bench.demo import demo_time_and_memory
from tests.bench.fleet import a_hundred_over_one
from tests.bench.help import help_over_click
from tests.bench.requests import requests_over_the_fewest
from tests.bench.sql import speed_and_memory


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    benches = {
        "help": help_over_click,
        "demo": demo_time_and_memory,
        "apply": apply_over_longest_chain,
        "requests": requests_over_the_fewest,
        "fleet": a_hundred_over_one,
        "sql": speed_and_memory,
    }
    parser.add_argument("only", nargs="*", choices=[[], *benches], help="which; all when none is named")
    chosen = parser.parse_args().only or list(benches)
    held = True
    for name in chosen:
        for figure in benches[name]():
            print(figure, flush=True)
            held = held and figure.holds
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
