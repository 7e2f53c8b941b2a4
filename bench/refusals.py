#!/usr/bin/env python3
"""Does the time of a refusal tell its cause? Markdown on standard output.

    refusals.py --build DIR [--dir DIR] [--frames N]

Encrypted frames that tocsind cannot open, by turns: of an account that it knows
and of one that nobody has, where the account or the listener has another key, and
where neither has one. All get the same answer; who listens to the time between
frame and answer must not learn which accounts there are. Each row is asked N
times, one frame after the other, the rows in turn, each over a connection of its
own; the last column is its median over the first row's.
"""

import argparse
import shutil
import statistics
import sys
import time

from bench import FIRST_ACCOUNT, SOURCE, Bench, BenchError, describe_machine

sys.path.insert(0, str(SOURCE / "tests/integration"))
import panel  # noqa: E402

OTHER_KEY = bytes(range(16))
KNOWN, UNKNOWN = f"{FIRST_ACCOUNT:06X}", "FFFFF0"


class Refusals(Bench):
    def __init__(self, options):
        options.quick = False
        super().__init__(options)
        self.frames = options.frames

    @staticmethod
    def ask(found, connection, frame):
        begin = time.perf_counter()
        connection.send(frame)
        answer = connection.receive()
        found.append((time.perf_counter() - begin) * 1e6)
        if b'"DUH"' not in answer:
            raise BenchError(f"not refused: {answer}")

    def measure(self):
        with self.postgres():
            self.seed("127.0.0.1:1", "127.0.0.1:1")
            with self.tocsind() as (address, _, _):
                keyed = int(address.rsplit(":", 1)[1])
                rows = [(f"{who}, {where}", port, panel.frame(account, "1130 01 002", key=OTHER_KEY))
                        for where, port in (("another key", keyed), ("no key", self.idle_port))
                        for who, account in (("a known account", KNOWN), ("nobody's account", UNKNOWN))]
                connections = [panel.Panel(port) for _, port, _ in rows]
                times = [[] for _ in rows]
                for _ in range(self.frames):
                    for found, connection, (_, _, frame) in zip(times, connections, rows):
                        self.ask(found, connection, frame)
                for connection in connections:
                    connection.socket.close()
        print("| | us, a quarter within | half | three quarters | of the first |\n|---|---|---|---|---|")
        for (what, _, _), found in zip(rows, times):
            quarters = statistics.quantiles(found, n=4)
            print(f"| {what} | " + " | ".join(f"{us:.1f}" for us in quarters)
                  + f" | {quarters[1] / statistics.median(times[0]):.3f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--dir", default="bench-data")
    parser.add_argument("--frames", type=int, default=10000)
    options = parser.parse_args()
    bench = Refusals(options)
    try:
        describe_machine(bench.dir)
        bench.measure()
    except BenchError as error:
        print(f"refusals: {error}", file=sys.stderr)
        return 69
    finally:
        shutil.rmtree(bench.dir, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
