#!/usr/bin/env python3
"""live_view.py [LINES_PER_SECOND]: `tocsinctl tail --json` on standard input,
a readable line per delivered signal on standard output, not more than so many
a second: what came from a panel, and where it went under which code."""
import json
import sys
import time

ROUTES_MAX = 10000  # signals whose delivery is still awaited


def line_of(came, went):
    return (f"{went['time'][11:23]}  panel {came['account']:<7} "
            f"{came['code']} zone {came['zone']}  ->  {went['receiver']:<9} "
            f"account {went['account']:<5} {went['code']}  {went['state']}")


def main():
    interval = 1 / float(sys.argv[1] if len(sys.argv) > 1 else 5)
    came, next_line = {}, 0.0
    for text in sys.stdin:
        try:
            record = json.loads(text)
        except ValueError:
            continue  # cut by the end of the daemon
        if record.get("kind") == "decision":
            came[record["event"]] = record
            if len(came) > ROUTES_MAX:
                came.pop(next(iter(came)))
        elif record.get("kind") == "outcome" and record["event"] in came:
            origin = came.pop(record["event"])
            if time.monotonic() >= next_line:
                print(line_of(origin, record), flush=True)
                next_line = time.monotonic() + interval


main()
