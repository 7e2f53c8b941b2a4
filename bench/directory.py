#!/usr/bin/python3
"""The directory at scale, in a running tocsind; Markdown on standard output.

    directory.py --build DIR [--dir DIR] [--sites N] [--rate R] [--seconds S]

A private PostgreSQL gets N sites, each with a bridge and four zones. tocsind is
started from it, then from its snapshot with the database away; each time the
first frame is sent again and again until it is acknowledged. Then the same load
runs without and with 1 000 changes a second, each a transaction of its own and
then ten in a transaction, in turn (A B A C A): the replies' percentiles stand
beside each other. A change
that replies depend on, a bridge's account, is made once a second meanwhile and
signalled with until it is in force.
"""

import argparse
import contextlib
import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

import psycopg2

from bench import Bench, BenchError, free_port, latencies, resident_kib, stop

CHANGES_PER_S = 1000
CHANGERS = 16
FILL = """
SET session_replication_role = replica;
SET search_path = tocsin;
INSERT INTO dealer (id, name) SELECT i, 'Dealer ' || i FROM generate_series(1, %(dealers)s) i;
INSERT INTO site (id, dealer_id, name, timezone)
    SELECT i, i %% %(dealers)s + 1, 'Site number ' || i, 'UTC' FROM generate_series(1, %(sites)s) i;
INSERT INTO bridge (id, serial, transport_account, site_id)
    SELECT i, 'SN' || i, lpad(upper(to_hex(i)), 6, '0'), i FROM generate_series(1, %(sites)s) i;
INSERT INTO channel (id, bridge_id, name, zone_type)
    SELECT i * 4 + z, i, 'Camera ' || z, z FROM generate_series(1, %(sites)s) i, generate_series(1, 4) z;
INSERT INTO channel_zone (bridge_id, zone_number, channel_id)
    SELECT i, '00' || z, i * 4 + z FROM generate_series(1, %(sites)s) i, generate_series(1, 4) z;
RESET session_replication_role;
"""


def wait_for(path):
    end = time.monotonic() + 120
    while not path.exists():
        if time.monotonic() > end:
            raise BenchError(f"there is no {path}")
        time.sleep(0.1)


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def frame(account, sequence):
    body = (f'"ADM-CID"{sequence:04d}L0#{account}[#{account}|1130 00 001]').encode()
    return b"\n%04X%04X" % (crc16(body), len(body)) + body + b"\r"


def is_acknowledged(port, account, sequence):
    """One frame over a connection of its own."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as s:
            s.sendall(frame(account, sequence))
            return b'"ACK"' in s.recv(200)
    except OSError:
        return False


class Changes:
    """Sites renamed at a fixed rate, and once a second a bridge's account."""

    def __init__(self, conninfo, sites, port, together):
        self.conninfo, self.sites, self.port, self.together = conninfo, sites, port, together
        self.ended = threading.Event()
        self.made, self.in_force_s = 0, []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.rename, args=(i,)) for i in range(CHANGERS)]
        self.threads.append(threading.Thread(target=self.probe))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def cursor(self):
        connection = psycopg2.connect(self.conninfo)
        connection.autocommit = True
        return contextlib.closing(connection), connection.cursor()

    def rename(self, number):
        """The sites of one dealer, in an order that no cache likes."""
        closing, cursor = self.cursor()
        with closing:
            due = time.monotonic()
            made = 0
            while not self.ended.is_set():
                ids = [(made + i) * 7919 % (self.sites // CHANGERS) * CHANGERS + number + 1
                       for i in range(self.together)]
                cursor.execute("UPDATE tocsin.site SET name = %s WHERE id = ANY (%s)",
                               (f"Renamed {time.monotonic()}", ids))
                made += self.together
                with self.lock:
                    self.made += self.together
                due += self.together * CHANGERS / CHANGES_PER_S
                time.sleep(max(0, due - time.monotonic()))

    def probe(self):
        closing, cursor = self.cursor()
        with closing:
            while not self.ended.wait(1):
                account = f"F{len(self.in_force_s):07X}"
                begin = time.monotonic()
                cursor.execute("UPDATE tocsin.bridge SET transport_account = %s WHERE id = %s",
                               (account, self.sites))
                while not is_acknowledged(self.port, account, 1):
                    if time.monotonic() - begin > 60:
                        raise BenchError("a change was not in force within 60 s")
                    time.sleep(0.002)
                self.in_force_s.append(time.monotonic() - begin)


class Scale(Bench):
    def __init__(self, options):
        options.quick = False
        super().__init__(options)
        self.sites, self.rate, self.load_s = options.sites, options.rate, options.seconds

    def fill(self):
        connection = psycopg2.connect(self.conninfo)
        connection.cursor().execute(FILL, {"sites": self.sites, "dealers": CHANGERS})
        connection.commit()
        connection.autocommit = True
        connection.cursor().execute("ANALYZE")
        connection.close()

    def configure(self, state, port, metrics, paused, archive):
        path = super().configure(state, port, metrics, paused, archive)
        text = path.read_text().replace("transport = tcp", "transport = tcp\nunknown_account = duh")
        path.write_text(text.replace("[log]\nlevel = warn", "[log]\nlevel = info"))
        return path

    @contextlib.contextmanager
    def started(self, state, what):
        """tocsind, from its start until the first frame is acknowledged."""
        port, metrics = free_port(), free_port()
        config = self.configure(state, port, metrics, True, False)
        with open(state / "log", "w", encoding="utf-8") as log:
            begin = time.monotonic()
            process = subprocess.Popen([self.program("tocsind"), "-c", str(config)], stdout=log, stderr=log)
        try:
            sequence = 0
            while not is_acknowledged(port, "000001", sequence % 9999 + 1):
                if process.poll() is not None:
                    raise BenchError("tocsind ended: " + (state / "log").read_text()[-500:])
                sequence += 1
                time.sleep(0.02)
            took = time.monotonic() - begin
            loaded = re.search(r"duration_us=(\d+)", (state / "log").read_text())
            print(f"| {what} | {took:.1f} s{f', {int(loaded[1]) / 1e6:.1f} s of it the load' if loaded else ''} | "
                  f"{resident_kib(process.pid) * 1024 / self.sites:.0f} bytes a site resident |", flush=True)
            yield port
        finally:
            stop(process)

    def one_load(self, port):
        done = subprocess.run(
            [self.program("tocsin-load"), "--target", f"127.0.0.1:{port}", "--json", "--panels", "50",
             "--accounts", f"000001-{min(self.sites - 1, 0xFFFFF):06X}", "--rate", str(self.rate),
             "--seconds", str(self.load_s), "--timeout", "5s", "--allow-unacknowledged"],
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"tocsin-load: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def compare(self, port):
        print(f"\n{self.rate} signals/s from 50 connections, {self.load_s} s each:\n")
        print("| | signals/s | p50 / p99 / p99.9 us | changes/s | in force after, median / most |")
        print("|---|---|---|---|---|")
        for together in (0, 1, 0, 10, 0):
            if together == 0:
                self.row("no changes", self.one_load(port), "", "")
                continue
            begin = time.monotonic()
            with Changes(self.conninfo, self.sites, port, together) as changes:
                found = self.one_load(port)
                took = time.monotonic() - begin
                made = changes.made
            force = changes.in_force_s
            self.row(f"{together} a transaction", found, f"{made / took:.0f}",
                     f"{statistics.median(force) * 1000:.0f} / {max(force) * 1000:.0f} ms")

    @staticmethod
    def row(what, found, changes, force):
        latency = latencies([found])
        print(f"| {what} | {found['rate']:.0f} | {latency} | {changes} | {force} |", flush=True)

    def measure(self):
        state = self.dir / "tocsind"
        state.mkdir(mode=0o700)
        with self.postgres():
            self.fill()
            print("| start | first frame acknowledged after | |\n|---|---|---|")
            with self.started(state, "from PostgreSQL"):
                wait_for(state / "directory.snapshot")
            conninfo, self.conninfo = self.conninfo, ""
            with self.started(state, "from the snapshot"):
                pass
            self.conninfo = conninfo
            with self.started(state, "from PostgreSQL, again") as port:
                self.compare(port)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--dir", default="bench-data")
    parser.add_argument("--sites", type=int, default=1000000)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=20)
    scale = Scale(parser.parse_args())
    try:
        scale.measure()
    except BenchError as error:
        sys.exit(f"directory.py: {error}")
    finally:
        shutil.rmtree(scale.dir, ignore_errors=True)


if __name__ == "__main__":
    main()
