#!/usr/bin/python3
"""Supervision at scale, in a running tocsind; Markdown on standard output.

    supervision.py steady --build DIR [--dir DIR] [--sites N] [--interval S] [--seconds S]
    supervision.py outage --build DIR [--dir DIR] [--sites N] [--interval S] [--lost N]

Both: a private PostgreSQL gets N sites, each with a bridge that is supervised at
that interval and a margin of a tenth of it. Each bridge sends its link tests
over one of 50 connections, at the whole rate from the start.

steady: for the given time, after one interval to begin with. Processor time of
tocsind by thread from /proc, its resident memory; bridges told to be silent
meanwhile, which must be none.

outage: two stations, the archive on. LOST of the bridges fall silent at once, as
their network does, and come back when all of them were told. 1 000 further
bridges signal alarms meanwhile, 200 a second: what they wait for their
acknowledgement, and until their station has them, beside the same while nothing
is wrong. What both stations got is counted.
"""

import argparse
import collections
import contextlib
import json
import shutil
import subprocess
import sys
import time
import urllib.request

import psycopg2

from bench import Bench, BenchError, cpu_by_thread, everything_done, latencies, metric_sum, resident_kib, wait_until

ALARMS_PER_S = 200
ALARM_BRIDGES = 1000
FILL = """
SET session_replication_role = replica;
SET search_path = tocsin;
INSERT INTO bridge (id, serial, transport_account, site_id)
    SELECT i, 'SN' || i, lpad(upper(to_hex(i)), 6, '0'), i FROM generate_series(1, %(sites)s + %(alarms)s) i;
INSERT INTO bridge_path (bridge_id, path, interval_s, margin_s)
    SELECT i, 'primary', %(interval)s, %(margin)s FROM generate_series(1, %(sites)s) i;
INSERT INTO dealer (id, name) SELECT i + 100, 'Dealer ' || i FROM generate_series(0, 1) i;
INSERT INTO center (id, name) VALUES (100, 'Center');
INSERT INTO receiver (id, center_id, name, protocol, in_flight)
    SELECT i + 100, 100, 'station-' || i, 'dc09', 1 FROM generate_series(0, 1) i;
INSERT INTO receiver_endpoint (receiver_id, position, host, port)
    SELECT i + 100, 1, '127.0.0.1', (%(ports)s::integer[])[i + 1] FROM generate_series(0, 1) i;
INSERT INTO station_record (id, dealer_id, center_id, receiver_id, name, prefix)
    SELECT i + 100, i + 100, 100, i + 100, 'record', '' FROM generate_series(0, 1) i;
INSERT INTO site (id, dealer_id, name, timezone, station_record_id, account_number)
    SELECT i, i %% 2 + 100, 'Site number ' || i, 'UTC', i %% 2 + 100, lpad(upper(to_hex(i)), 6, '0')
    FROM generate_series(1, %(sites)s + %(alarms)s) i;
RESET session_replication_role;
"""
# what a station waited for, of those alarms that were received in this time
DELAYS = """
SELECT count(*), coalesce(percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
    ORDER BY extract(epoch FROM o.finished_at - e.received_at) * 1e6), '{0,0}')
FROM tocsin.event e JOIN tocsin.delivery_outcome o ON o.signal_lsn = e.lsn AND o.node = e.node AND o.item = e.item
WHERE o.state = 'delivered' AND e.bridge_id > %s AND e.code = '130' AND e.received_at BETWEEN to_timestamp(%s) AND to_timestamp(%s)
"""


def account(number):
    return f"{number:06X}"


class Supervision(Bench):
    def __init__(self, options):
        options.quick = False
        super().__init__(options)
        self.sites, self.interval_s = options.sites, options.interval
        self.options = options
        self.zones = 0

    def fill(self, ports):
        connection = psycopg2.connect(self.conninfo)
        connection.cursor().execute(FILL, {
            "sites": self.sites, "alarms": ALARM_BRIDGES, "interval": self.interval_s,
            "margin": self.interval_s // 10, "ports": ports})
        connection.commit()
        connection.autocommit = True
        connection.cursor().execute("ANALYZE")
        connection.close()

    # ---- panels

    def panels(self, address, first, last, *options):
        return subprocess.Popen(
            [self.program("tocsin-load"), "--target", address, "--json", "--panels", "50",
             "--accounts", f"{account(first)}-{account(last)}", "--timeout", "5s", "--allow-unacknowledged", *options],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def link_tests(self, address, first, last):
        rate = (last - first + 1) / self.interval_s
        return self.panels(address, first, last, "--link-tests", "--rate", f"{rate:.0f}", "--inflight", "64",
                           "--seconds", "3600")

    def alarms(self, address, seconds):
        """Of the further bridges: (what the load found, from when, until when).
        Each time of other zones: the same again would be repeats."""
        begin = time.time()
        self.zones += 10
        load = self.panels(address, self.sites + 1, self.sites + ALARM_BRIDGES, "--rate", str(ALARMS_PER_S),
                           "--seconds", str(seconds), "--zones", f"{self.zones}-{self.zones + 9}")
        return self.end(load, wait=True), begin, time.time()

    @staticmethod
    def end(load, wait=False):
        if not wait:
            stop_softly(load)
        return json.loads(load.communicate(timeout=600)[0])

    # ---- the two measures

    def steady(self):
        print("| | |\n|---|---|")
        with self.postgres():
            self.fill([1, 2])
            with self.tocsind() as (address, pid, metrics):
                before_kib = resident_kib(pid)
                load = self.link_tests(address, 1, self.sites)
                time.sleep(self.interval_s * 1.2)
                cpu, begin = cpu_by_thread(pid), time.monotonic()
                polls = metric(metrics, "tocsin_polls_total")
                time.sleep(self.options.seconds)
                spent_s = time.monotonic() - begin
                polls = metric(metrics, "tocsin_polls_total") - polls
                used = cpu_by_thread(pid) - cpu
                told = metric(metrics, "tocsin_bridges_offline") + metric(metrics, "tocsin_bridges_untold")
                found = self.end(load)
                print(f"| link tests/s answered | {polls / spent_s:.0f} |")
                print(f"| their answer after, p50 / p99 / p99.9 us | {latencies([found])} |")
                print(f"| bridges told to be silent | {told:.0f} of {metric(metrics, 'tocsin_bridges_supervised'):.0f} |")
                for name, seconds in used.most_common(4):
                    print(f"| processor, {name} | {seconds / spent_s * 100:.1f} % of one |")
                print(f"| processor, a link test | {sum(used.values()) / polls * 1e6:.1f} us |")
                print(f"| resident, before and after | {before_kib // 1024} and {resident_kib(pid) // 1024} MiB, "
                      f"{resident_kib(pid) * 1024 / self.sites:.0f} bytes a site |")

    def outage(self):
        lost = self.options.lost
        with contextlib.ExitStack() as stack:
            ledgers = [self.dir / name for name in ("station-a", "station-b")]
            ports = [int(stack.enter_context(self.first_line(
                self.program("tocsin-station"), "--protocol", "dc09", "--listen", "127.0.0.1:0",
                "--ledger", str(path))).rsplit(":", 1)[1]) for path in ledgers]
            stack.enter_context(self.postgres())
            self.fill(ports)
            address, pid, metrics = stack.enter_context(self.tocsind(paused=False, archive=True))
            rest = self.link_tests(address, lost + 1, self.sites)
            network = self.link_tests(address, 1, lost)
            time.sleep(self.interval_s * 1.2)
            rows = [("nothing is wrong", self.alarms(address, 30))]
            self.end(network)
            gone = time.monotonic()
            time.sleep(self.interval_s)
            rows.append((f"{lost} fall silent", self.alarms(address, self.interval_s // 10 + lost // 2000 + 5)))
            wait_for(metrics, lambda text: metric_sum(text, "tocsin_bridges_offline") >= lost
                     and metric_sum(text, "tocsin_bridges_untold") == 0)
            told_s = time.monotonic() - gone
            network = self.link_tests(address, 1, lost)
            back = time.monotonic()
            rows.append(("they are back", self.alarms(address, self.interval_s + 15)))
            wait_for(metrics, lambda text: metric_sum(text, "tocsin_bridges_offline") == 0
                     and metric_sum(text, "tocsin_bridges_untold") == 0)
            back_s = time.monotonic() - back
            self.end(network)
            self.end(rest)
            wait_until(everything_done, metrics)
            self.report(rows)
        print(f"\nAll told after {told_s:.1f} s, all back after {back_s:.1f} s. The stations got: {count_codes(ledgers)}.")

    def report(self, rows):
        print("| 200 alarms/s | acknowledged after, p50 / p99 / p99.9 us | at their station after, p50 / p99 ms | p99 of the quiet |")
        print("|---|---|---|---|")
        connection = psycopg2.connect(self.conninfo)
        cursor = connection.cursor()
        quiet = None
        for what, (found, begin, end) in rows:
            cursor.execute(DELAYS, (self.sites, begin, end))
            count, (half, most) = cursor.fetchone()
            quiet = quiet or (found["latency_us"]["p99"], most)
            print(f"| {what}, {count} | {latencies([found])} | {half / 1000:.1f} / {most / 1000:.1f} | "
                  f"{found['latency_us']['p99'] / quiet[0]:.2f}, {most / quiet[1]:.2f} |")
        connection.close()


def count_codes(ledgers):
    """Once the stations have ended."""
    said = collections.Counter()
    for path in ledgers:
        for line in path.read_text().splitlines():
            words = line.split()
            said[words[1] + words[2]] += 1
    return ", ".join(f"{count} {code}" for code, count in sorted(said.items()))


def stop_softly(load):
    """So that it still says what it found."""
    load.send_signal(2)


def read_metrics(metrics):
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=5) as answer:
        return answer.read().decode()


def metric(metrics, name):
    return metric_sum(read_metrics(metrics), name)


def wait_for(metrics, done):
    end = time.monotonic() + 300
    while not done(read_metrics(metrics)):
        if time.monotonic() > end:
            raise BenchError("it did not come about within 300 s")
        time.sleep(0.1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["steady", "outage"])
    parser.add_argument("--build", required=True)
    parser.add_argument("--dir", default="bench-data")
    parser.add_argument("--sites", type=int, default=1000000)
    parser.add_argument("--interval", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--lost", type=int, default=100000)
    options = parser.parse_args()
    bench = Supervision(options)
    try:
        getattr(bench, options.what)()
    except BenchError as error:
        sys.exit(f"supervision.py: {error}")
    finally:
        shutil.rmtree(bench.dir, ignore_errors=True)


if __name__ == "__main__":
    main()
