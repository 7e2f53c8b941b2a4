#!/usr/bin/python3
"""Measure tocsind beside the reference server; Markdown on standard output.

    bench.py --build DIR [--dir DIR] [--quick] [--only receive|everything]
    bench.py --build DIR [--dir DIR] --soak
    bench.py --build DIR [--dir DIR] --idle N

receive: the same tocsin-load against bench/reference and tocsind in turn
(A B A B A); tocsind looks accounts up, journals and decides, with its links
paused and the archive off; "all decided after" says how long after the load
routing had caught up. The ratio is the median of each tocsind run over
the mean of the reference runs before and after it. The reference speaks no
TLS and no HTTP: beside a row with these stands its run of clear DC-09. The
bridges of HTTP rows are wrk's, with an event in each request.

everything: delivery to two stations and the archive in a private PostgreSQL.
The rate is searched at which all queues are empty again within DRAIN_S after
the load ends; CPU per signal is read per thread from /proc. Once with one
message in flight on each link, as Sur-Gard has it, and once with 16; the
reference in the same table has 50 connections.

idle: memory of the daemon for each of N connections that say nothing, clear
and with TLS.

Journals and the reference's file are in --dir: put it on the disk in question,
never on tmpfs.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[1]
KEY = "text:0123456789ABCDEF"
SITES = 1000
TLS = ("--tls", "--insecure")
FIRST_ACCOUNT = 0x100000  # of the demonstration's bridges
START_S = 30
DRAIN_S = 1.0
GIVE_UP_DRAIN_S = 60

Row = collections.namedtuple(
    "Row", "name panels options encrypted quick tls http",
    defaults=(False, False))
ROWS = (
    Row("1 connection", 1, (), False, False),
    Row("50 connections", 50, (), False, True),
    Row("1 000 connections", 1000, (), False, True),
    Row("50 x 8 in flight", 50, ("--inflight", "8"), False, True),
    Row("one connection per message, 50", 50, ("--reconnect",), False, False),
    Row("UDP, 50", 50, ("--udp",), False, False),
    Row("50 connections", 50, (), True, False),
    Row("1 000 connections", 1000, (), True, False),
    Row("50 x 8 in flight", 50, ("--inflight", "8"), True, True),
    Row("UDP, 50", 50, ("--udp",), True, False),
    Row("50 connections", 50, (), False, True, True),
    Row("1 000 connections", 1000, (), False, False, True),
    Row("50 x 8 in flight", 50, ("--inflight", "8"), False, False, True),
    Row("one connection per message, 50", 50, ("--reconnect",), False, False,
        True),
    Row("50 connections", 50, (), False, True, http=True),
    Row("1 000 connections", 1000, (), False, False, http=True),
    Row("50 connections", 50, (), False, False, tls=True, http=True),
)


class BenchError(Exception):
    """Something that had to run did not: a sentence for the user."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=START_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Bench:
    def __init__(self, options):
        self.build = pathlib.Path(options.build).resolve()
        parent = pathlib.Path(options.dir).resolve()
        parent.mkdir(parents=True, exist_ok=True)
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=parent))
        self.seconds = 1 if options.quick else 3
        self.quick = options.quick
        self.conninfo = None
        self.tls_port, self.idle_port = free_port(), free_port()
        self.http_port, self.https_port = free_port(), free_port()
        self.bearers = self.dir / "bearers"
        self.certificate = self.dir / "receiver.pem"
        self.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                 "/CN=bench", "-days", "2", "-keyout", str(self.certificate),
                 "-out", str(self.dir / "receiver.crt"))
        with self.certificate.open("a") as both:
            both.write((self.dir / "receiver.crt").read_text())

    def program(self, name):
        for place in ("src", "bench"):
            path = self.build / place / name
            if path.exists():
                return str(path)
        raise BenchError(f"{name} is not built in {self.build}")

    def run(self, *command):
        done = subprocess.run(command, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise BenchError(f"{' '.join(command)}: "
                             f"{done.stderr.strip() or done.returncode}")
        return done.stdout

    # ---- servers -------------------------------------------------------------

    @contextlib.contextmanager
    def first_line(self, *command):
        """A program that prints "listening HOST:PORT" first."""
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            words = process.stdout.readline().split()
            if len(words) != 2:
                raise BenchError(f"{command[0]} did not start")
            yield words[1]
        finally:
            stop(process)
            process.stdout.close()

    def reference(self):
        return self.first_line(self.program("reference"),
                               str(self.dir / "reference.data"), KEY)

    @contextlib.contextmanager
    def postgres(self):
        tool = str(SOURCE / "tests/tools/private_postgres")
        self.conninfo = self.run(tool, "start").strip()
        try:
            self.run(self.program("tocsinctl"), "db", "migrate", "--sql",
                     str(SOURCE / "sql"), "--database", self.conninfo)
            yield
        finally:
            place = self.run(tool, "dir", self.conninfo).strip()
            self.run(tool, "stop", place)

    def seed(self, *endpoints, in_flight=1):
        self.run(self.program("tocsinctl"), "db", "seed-demo",
                 "--sites", str(SITES), "--database", self.conninfo,
                 "--endpoint-a", endpoints[0], "--endpoint-b", endpoints[1])
        self.run("psql", "-q", "-d", self.conninfo, "-c",
                 f"UPDATE tocsin.receiver SET in_flight = {in_flight}")
        self.bearers.write_text(self.run(
            "psql", "-qAt", "-d", self.conninfo, "-c",
            "SELECT tocsin.bridge_bearer_key_new(id) FROM tocsin.bridge"))

    def configure(self, state, port, metrics, paused, archive):
        path = state / "tocsin.ini"
        path.write_text(f"""\
[node]
name = bench
state_dir = {state}
run_dir = {state}
[database]
conninfo = {self.conninfo}
[listener tcp]
protocol = dc09
transport = tcp
address = 127.0.0.1
port = {port}
key = {KEY}
[listener udp]
protocol = dc09
transport = udp
address = 127.0.0.1
port = {port}
key = {KEY}
[listener tls]
transport = tls
address = 127.0.0.1
port = {self.tls_port}
certificate = {self.certificate}
first_frame_timeout = 10min
max_sessions = 100000
max_source_sessions = 0
[listener http]
protocol = http
address = 127.0.0.1
port = {self.http_port}
[listener https]
protocol = http
transport = tls
address = 127.0.0.1
port = {self.https_port}
certificate = {self.certificate}
[listener idle]
address = 127.0.0.1
port = {self.idle_port}
first_frame_timeout = 10min
max_sessions = 100000
max_source_sessions = 0
[egress]
reconnect_min = 100ms
start_paused = {"yes" if paused else "no"}
[archive]
enabled = {"yes" if archive else "no"}
[admin]
metrics = 127.0.0.1:{metrics}
[log]
level = warn
""")
        path.chmod(0o640)
        return path

    def tocsind_command(self, config):
        return [self.program("tocsind"), "-c", str(config)]

    @contextlib.contextmanager
    def tocsind(self, paused=True, archive=False):
        """Yields (address, pid, metrics port), ready to receive."""
        state = self.dir / "tocsind"
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir(mode=0o700)
        port, metrics = free_port(), free_port()
        config = self.configure(state, port, metrics, paused, archive)
        process = subprocess.Popen(self.tocsind_command(config))
        try:
            self.wait_until_ready(process, metrics)
            yield f"127.0.0.1:{port}", process.pid, metrics
        finally:
            stop(process)
            shutil.rmtree(state, ignore_errors=True)

    @staticmethod
    def wait_until_ready(process, metrics):
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if process.poll() is not None:
                raise BenchError(f"tocsind ended with {process.returncode}")
            try:
                with urllib.request.urlopen(
                        f"http://127.0.0.1:{metrics}/readyz", timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        raise BenchError("tocsind is not ready")

    # ---- load ----------------------------------------------------------------

    def load(self, address, panels, *options):
        last = FIRST_ACCOUNT + SITES - 1
        done = subprocess.run(
            [self.program("tocsin-load"), "--target", address, "--json",
             "--panels", str(panels),
             "--accounts", f"{FIRST_ACCOUNT:X}-{last:X}",
             "--timeout", "5s", "--allow-unacknowledged", *options],
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"tocsin-load: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def load_row(self, address, row, tls=False):
        key = ("--key", KEY) if row.encrypted else ()
        if tls:
            address = f"127.0.0.1:{self.tls_port}"
            key += TLS
        found = self.load(address, row.panels, *row.options, *key,
                          "--seconds", str(self.seconds))
        if found["acknowledged"] == 0:
            raise BenchError(f"{row.name}: nothing was acknowledged")
        return found

    def http_row(self, row):
        if not shutil.which("wrk"):
            raise BenchError("wrk is needed for the HTTP rows "
                             "(apt-get install wrk)")
        url = f"https://127.0.0.1:{self.https_port}" if row.tls \
            else f"http://127.0.0.1:{self.http_port}"
        found = json.loads(self.run(
            "wrk", "-t1", f"-c{row.panels}", f"-d{self.seconds}s",
            "--timeout", "5s", "-s", str(SOURCE / "bench/http_bridges.lua"),
            url, "--", str(self.bearers)).splitlines()[-1])
        if found["errors"] or found["acknowledged"] == 0:
            raise BenchError(f"{row.name}: {found['errors']} requests of "
                             f"{found['acknowledged']} failed")
        return found

    # ---- receive -------------------------------------------------------------

    def measure_row(self, row):
        runs = {"reference": [], "tocsind": []}
        for turn in range(3 if self.quick else 5):
            if turn % 2 == 0:
                with self.reference() as address:
                    runs["reference"].append(self.load_row(address, row))
            else:
                with self.tocsind() as (address, _, metrics):
                    found = self.http_row(row) if row.http \
                        else self.load_row(address, row, row.tls)
                    found["decided_s"] = wait_until(routing_done, metrics)
                    runs["tocsind"].append(found)
        ratios = [
            tocsind["rate"] / statistics.mean((before["rate"], after["rate"]))
            for before, tocsind, after in zip(
                runs["reference"], runs["tocsind"], runs["reference"][1:])]
        return runs, statistics.median(ratios)

    def receive(self):
        rows = [row for row in ROWS if row.quick or not self.quick]
        print("### Receive\n")
        print("Decode, directory look-up, journal, routing decided; links "
              "paused, archive off.\n")
        print("| | | reference/s | tocsind/s | ratio | reference "
              "p50 / p99 / p99.9 us | tocsind p50 / p99 / p99.9 us | "
              "all decided after |")
        print("|---|---|---|---|---|---|---|---|")
        with self.postgres():
            self.seed("127.0.0.1:1", "127.0.0.1:1")
            for row in rows:
                runs, ratio = self.measure_row(row)
                print(f"| {row.name} | "
                      f"{what_is_spoken(row)} | "
                      f"{median_rate(runs['reference'])} | "
                      f"{median_rate(runs['tocsind'])} | {ratio:.2f} | "
                      f"{latencies(runs['reference'])} | "
                      f"{latencies(runs['tocsind'])} | "
                      f"{max(run['decided_s'] for run in runs['tocsind']):.1f}"
                      " s |", flush=True)
        print()

    # ---- everything on ---------------------------------------------------------

    @contextlib.contextmanager
    def whole(self, in_flight=1):
        """PostgreSQL, two stations and tocsind that delivers and archives."""
        station = (self.program("tocsin-station"), "--protocol", "surgard",
                   "--listen", "127.0.0.1:0")
        with self.postgres(), self.first_line(*station) as first, \
                self.first_line(*station) as second:
            self.seed(first, second, in_flight=in_flight)
            with self.tocsind(paused=False, archive=True) as running:
                yield running

    def at_rate(self, running, rate, seconds):
        """One run: what was reached, how long the queues took to drain, CPU
        per thread."""
        address, pid, metrics = running
        before = cpu_by_thread(pid)
        found = self.load(address, 200, "--rate", str(rate), "--inflight",
                          "8", "--seconds", str(seconds))
        found["drain_s"] = wait_until(everything_done, metrics)
        after = cpu_by_thread(pid)
        found["cpu_us"] = {
            name: (after[name] - before.get(name, 0)) * 1e6 /
            max(found["acknowledged"], 1) for name in after}
        return found

    def keeps_up(self, found, rate):
        return (found["drain_s"] <= DRAIN_S and
                found["rate"] >= 0.97 * rate)

    def search(self, running):
        """The highest rate that is kept up with, by doubling then halving the
        interval."""
        low, high, best = 0, None, None
        rate = 2000
        for _ in range(6 if self.quick else 10):
            found = self.at_rate(running, rate, self.seconds + 1)
            if self.keeps_up(found, rate):
                low, best = rate, found
            else:
                high = rate
            if high and high - low < 0.05 * high:
                break
            rate = 2 * rate if high is None else (low + high) // 2
        if best is None:
            raise BenchError(f"not even {rate}/s is kept up with")
        return low, best

    def everything(self):
        print("### Everything on\n")
        print("Delivery to two Sur-Gard stations, archive into PostgreSQL; "
              "load, stations and PostgreSQL on the same processors.\n")
        print("| in flight on a link | | signals/s | of the reference | "
              "ack p50 / p99 / p99.9 us | queues empty after |")
        print("|---|---|---|---|---|---|")
        bests = {}
        for in_flight in (1, 16):
            before = self.reference_rate()
            with self.whole(in_flight) as running:
                rate, best = self.search(running)
                over = self.at_rate(running, rate * 3 // 2, self.seconds + 1)
            reference = statistics.mean((before, self.reference_rate()))
            bests[in_flight] = best["cpu_us"]
            for name, found in (("no queue grows", best),
                                ("half as much again", over)):
                print(f"| {in_flight} | {name} | {found['rate']:.0f} | "
                      f"{found['rate'] / reference:.2f} | "
                      f"{latencies([found])} | {found['drain_s']:.1f} s |",
                      flush=True)
        print("\n| CPU us per signal, by thread |"
              + "".join(f" {name} in flight |" for name in bests))
        print("|---|" + "---|" * len(bests))
        for thread in sorted(bests[1], key=lambda name: -bests[1][name]):
            print(f"| {thread} |" + "".join(
                f" {best[thread]:.1f} |" for best in bests.values()))
        print("| all |" + "".join(
            f" {sum(best.values()):.1f} |" for best in bests.values()) + "\n")

    def reference_rate(self):
        with self.reference() as address:
            return self.load_row(address, ROWS[1])["rate"]

    # ---- idle connections ------------------------------------------------------

    def idle(self, count):
        print(f"| {count} idle connections | bytes each |\n|---|---|")
        with self.postgres():
            self.seed("127.0.0.1:1", "127.0.0.1:1")
            for name, port, options in (("clear", self.idle_port, ()),
                                        ("TLS", self.tls_port, TLS)):
                with self.tocsind() as (_, pid, metrics):
                    each = self.idle_bytes(pid, metrics, port, count, options)
                print(f"| {name} | {each:.0f} |", flush=True)

    def idle_bytes(self, pid, metrics, port, count, options):
        before = resident_kib(pid)
        last = FIRST_ACCOUNT + count - 1
        panels = subprocess.Popen(
            [self.program("tocsin-load"), "--target", f"127.0.0.1:{port}",
             "--panels", str(count), "--rate", "0.01", "--seconds", "600",
             "--accounts", f"{FIRST_ACCOUNT:X}-{last:X}", *options],
            stdout=subprocess.DEVNULL)
        try:
            spent = wait_until(
                lambda text: metric_sum(text, "tocsin_sessions") == count and (
                    not options or metric_sum(
                        text, "tocsin_tls_handshakes_total") == count),
                metrics)
            if panels.poll() is not None:
                raise BenchError("tocsin-load ended")
            if spent > GIVE_UP_DRAIN_S:
                raise BenchError(f"not all {count} came")
            return (resident_kib(pid) - before) * 1024 / count
        finally:
            panels.kill()
            panels.wait()

    # ---- soak ------------------------------------------------------------------

    def soak(self, count=2000000, parts=20):
        """Memory must not rise after the first quarter."""
        sizes = []
        with self.whole() as running:
            rate, _ = self.search(running)
            for part in range(parts):
                self.load(running[0], 200, "--rate", str(rate * 9 // 10),
                          "--inflight", "8", "--count", str(count // parts))
                wait_until(everything_done, running[2])
                sizes.append(resident_kib(running[1]))
                print(f"{(part + 1) * count // parts} signals: "
                      f"{sizes[-1]} KiB", flush=True)
        limit = max(sizes[:parts // 4]) * 1.05 + 4096
        flat = max(sizes) <= limit
        print("flat" if flat else f"NOT FLAT: more than {limit:.0f} KiB")
        return 0 if flat else 1


def what_is_spoken(row):
    if row.http:
        return "HTTP, TLS" if row.tls else "HTTP"
    if row.tls:
        return "TLS"
    return "AES-128" if row.encrypted else "clear"


def median_rate(runs):
    return f"{statistics.median(run['rate'] for run in runs):.0f}"


def latencies(runs):
    return " / ".join(
        f"{statistics.median(run['latency_us'][name] for run in runs):.0f}"
        for name in ("p50", "p99", "p99_9"))


def cpu_by_thread(pid):
    """Thread name -> CPU seconds so far."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = collections.Counter()
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        text = (task / "stat").read_text()
        name = text[text.index("(") + 1:text.rindex(")")]
        fields = text[text.rindex(")") + 2:].split()
        found[name] += (int(fields[11]) + int(fields[12])) / ticks
    return found


def resident_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M).group(1))


def metric_sum(text, name):
    values = re.findall(rf"^{name}(?:{{.*}})? ([0-9.e+-]+)$", text, re.M)
    if not values:
        raise BenchError(f"tocsind shows no metric {name}")
    return sum(float(value) for value in values)


def everything_done(text):
    return (routing_done(text) and
            metric_sum(text, "tocsin_link_queue_length") == 0 and
            metric_sum(text, "tocsin_archive_lag_seconds") < DRAIN_S)


def routing_done(text):
    return metric_sum(text, "tocsin_dispatch_lag_bytes") == 0


def wait_until(done, metrics):
    """Seconds until the metrics say that nothing waits any more."""
    start = time.monotonic()
    while True:
        with urllib.request.urlopen(
                f"http://127.0.0.1:{metrics}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        spent = time.monotonic() - start
        if done(text) or spent > GIVE_UP_DRAIN_S:
            return spent
        time.sleep(0.05)


def describe_machine(directory):
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    mount = subprocess.run(["df", "--output=fstype,source", str(directory)],
                           capture_output=True, text=True, check=True)
    kind, device = mount.stdout.splitlines()[1].split()
    if kind in ("tmpfs", "ramfs"):
        raise BenchError(f"{directory} is on {kind}: give --dir on a disk")
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} x {model}, Linux "
          f"{platform.release()}, {kind} on {device}.\n")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--dir", default="bench-data")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=("receive", "everything"))
    parser.add_argument("--soak", action="store_true")
    parser.add_argument("--idle", type=int, metavar="N")
    options = parser.parse_args()
    bench = Bench(options)
    try:
        describe_machine(bench.dir)
        if options.soak:
            return bench.soak()
        if options.idle:
            bench.idle(options.idle)
            return 0
        if options.only != "everything":
            bench.receive()
        if options.only != "receive":
            bench.everything()
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 69
    finally:
        shutil.rmtree(bench.dir, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
