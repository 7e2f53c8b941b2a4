#!/usr/bin/env python3
"""Measure the ways out of tocsind; Markdown on standard output.

    outputs.py rates --build DIR [--dir DIR] [--quick] [--only TEXT]
    outputs.py outage --build DIR [--dir DIR] [--minutes M] [--rate R]

rates: each output with one station, then with 64 at once. Signals are taken
while the links are paused, and how fast they go out is measured from the moment
that the links are resumed, connections and handshakes included, until the last
one is acknowledged: nothing but delivery runs meanwhile. Then signals come at
half that rate, and the histogram tocsin_delivery_seconds says within what time
99 of 100 were acknowledged by their station. Receivers are as they are added,
so one message is under way on a link at a time. The other side is
tocsin-station; of mail and of the program that stays it is Python, which is
what limits those rows; of the program for each signal a shell.

outage: four stations in four formats under load, one of them killed for M
minutes. The ledgers of tocsin-load and of the stations prove that nothing is
lost and each account's order kept, and say how long deliveries of the others
took, from the panel's acknowledgement to the station, before, meanwhile and
after. Status 1 when something is lost, wrong or out of order.

Journals are in --dir: put it on the disk in question, never on tmpfs.
"""

import argparse
import collections
import contextlib
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

from bench import (SITES, SOURCE, Bench, BenchError, describe_machine,
                   everything_done, free_port, metric_sum, routing_done, stop,
                   wait_until)

sys.path.insert(0, str(SOURCE / "tests/integration"))
from smtp_peer import MailPeer  # noqa: E402

PASSKEY = "correct-horse-battery"
STATIONS = 64
POLL_S = 0.02
HALF_RATE_MAX = 8000  # signals/s: the load shares the processors
WITNESS_S = 3
TEMPLATE = """From: alarms@bench.example
To: {account}@station.example
Subject: {sequence} {qualifier}{code}

{zone} {text}
"""
PROGRAMS = {
    "acknowledge": f"""#!{sys.executable}
import os
import sys
for line in iter(sys.stdin.buffer.readline, b""):
    sequence = line.split(b":", 1)[1].split(b",", 1)[0]
    os.write(1, b"ack " + sequence + b"\\n")
""",
    "take": "#!/bin/sh\nexec cat >/dev/null\n",
}

# protocol: of the receiver; endpoint: ADDRESS, PORT and NUMBER are replaced;
# station: options of tocsin-station, or None: not its business
Output = collections.namedtuple(
    "Output", "name protocol endpoint station count options",
    defaults=(20000, ()))
TLS = ("--certificate", "CERTIFICATE")
SECRET = ("--passkey", PASSKEY)
OUTPUTS = (
    Output("Sur-Gard MLR2", "surgard", "ADDRESS", ()),
    Output("Sur-Gard MLR2000", "surgard", "ADDRESS", ("--line-digits", "3"),
           options=("--line-digits", "3")),
    Output("Ademco 685", "ademco685", "ADDRESS", (),
           options=("--number", "1")),
    Output("D6500", "d6500", "ADDRESS", ()),
    Output("DC-09, TCP", "dc09", "ADDRESS", ()),
    Output("DC-09, UDP", "dc09", "udp://ADDRESS", ("--udp",)),
    Output("DC-09, TLS", "dc09", "tls://ADDRESS;ca=station.crt", TLS),
    Output("XML, TCP", "xml", "ADDRESS", ()),
    Output("XML, TLS", "xml", "tls://ADDRESS;ca=station.crt", TLS),
    Output("XML, HTTP", "xml", "http://ADDRESS/alarms", ("--http",)),
    Output("XML, HTTPS", "xml", "https://ADDRESS/alarms;ca=station.crt",
           ("--http", *TLS)),
    Output("Webhook, HTTP", "webhook", "http://ADDRESS/alarms", SECRET),
    Output("Webhook, HTTPS", "webhook",
           "https://ADDRESS/alarms;ca=station.crt", (*SECRET, *TLS)),
    Output("JSON lines, TCP", "json", "ADDRESS", ()),
    Output("JSON lines, a program", "json", "run:acknowledge", None),
    Output("JSON lines, a program each", "json", "each:take", None, 600,
           options=("--heartbeat", "0s")),
    Output("JSON lines, a file", "json", "file:alarms-NUMBER", None, 4000),
    Output("Mail", "mail", "smtp-clear://bench@ADDRESS", None, 2000),
)
FORMATS = ("Sur-Gard MLR2", "DC-09, TLS", "XML, TLS", "Webhook, HTTPS")


def output_named(name):
    return next(output for output in OUTPUTS if output.name == name)


def schedule_s(pid):
    """How long its main thread ran, and how long it could have run, but others
    did."""
    ran, waited, _ = map(int, pathlib.Path(
        f"/proc/{pid}/schedstat").read_text().split())
    return ran / 1e9, waited / 1e9


def processor_wait_s(pid):
    return schedule_s(pid)[1]


def read_metrics(metrics):
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics",
                                timeout=5) as answer:
        return answer.read().decode()


def delivery_buckets(text):
    """Upper bound in seconds -> deliveries up to there, so far."""
    found = {}
    for line in text.splitlines():
        if line.startswith("tocsin_delivery_seconds_bucket{"):
            found[float(line.split('le="')[1].split('"')[0])] = \
                float(line.rsplit(" ", 1)[1])
    return found


def bound_of(before, after, share):
    """The least bound that this share of the deliveries in between kept."""
    total = after[float("inf")] - before[float("inf")]
    for bound in sorted(after):
        if after[bound] - before.get(bound, 0) >= share * total:
            return bound
    return float("inf")


def in_words(seconds):
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


class Outputs(Bench):
    def __init__(self, options):
        super().__init__(options)
        self.master, self.passkey = (self.dir / name
                                     for name in ("master.key", "passkey"))
        self.master.write_text("5a" * 32)
        self.master.chmod(0o600)
        self.passkey.write_text(PASSKEY)
        self.key = self.dir / "station.pem"
        self.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                 "/CN=station", "-addext", "subjectAltName=IP:127.0.0.1",
                 "-days", "2", "-keyout", str(self.key),
                 "-out", str(self.dir / "station.crt"))
        with self.key.open("a") as both:
            both.write((self.dir / "station.crt").read_text())
        self.programs, self.files, self.mail = (
            self.dir / name for name in ("programs", "files", "mail"))
        for place in self.programs, self.files, self.mail:
            place.mkdir()
        for name, text in PROGRAMS.items():
            path = self.programs / name
            path.write_text(text)
            path.chmod(0o755)
        (self.mail / "bench").write_text(TEMPLATE)

    def configure(self, *arguments):
        path = super().configure(*arguments)
        egress = (f"[egress]\ncertificates = {self.dir}\n"
                  f"programs_dir = {self.programs}\n"
                  f"files_dir = {self.files}\nmail_dir = {self.mail}\n")
        path.write_text(
            path.read_text().replace("[egress]\n", egress) +
            f"[directory]\nmaster_key_file = {self.master}\n")
        return path

    # ---- stations ------------------------------------------------------------

    def station_command(self, output, port=0, ledger=None):
        options = [str(self.key) if word == "CERTIFICATE" else word
                   for word in output.station]
        if ledger:
            options += ["--ledger", str(ledger)]
        return [self.program("tocsin-station"), "--protocol", output.protocol,
                "--listen", f"127.0.0.1:{port}", *options]

    @contextlib.contextmanager
    def stations(self, output, count):
        """Their addresses; "" of what needs none."""
        with contextlib.ExitStack() as stack:
            found = []
            for _ in range(count):
                if output.station is not None:
                    found.append(stack.enter_context(
                        self.first_line(*self.station_command(output))))
                elif output.protocol == "mail":
                    peer = MailPeer()
                    stack.callback(peer.close)
                    found.append(f"127.0.0.1:{peer.port}")
                else:
                    found.append("")
            yield found

    # ---- provisioning ----------------------------------------------------------

    def sql(self, text):
        return self.run("psql", "-qAt", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                        "-d", self.conninfo, "-c", text)

    def add_receiver(self, name, output, number, address):
        options = list(output.options)
        if output.protocol == "webhook":
            options += ["--link-passkey", str(self.passkey),
                        "--master-key-file", str(self.master)]
        endpoint = output.endpoint.replace("ADDRESS", address)
        self.run(self.program("tocsinctl"), "receiver", "add", "--center", "1",
                 "--name", name, "--protocol", output.protocol, "--endpoints",
                 endpoint.replace("NUMBER", str(number)), *options,
                 "--database", self.conninfo)

    def share_sites(self, names):
        """The demonstration's sites over these receivers alone."""
        listed = ", ".join(f"'{name}'" for name in names)
        self.sql(f"""
            INSERT INTO tocsin.station_record (dealer_id, center_id,
                receiver_id, name)
            SELECT d.id, r.center_id, r.id, r.name
            FROM tocsin.receiver r, tocsin.dealer d
            WHERE r.name IN ({listed}) AND d.name = 'Demo dealer';
            WITH place AS (
                SELECT id, row_number() OVER (ORDER BY id) - 1 AS n
                FROM tocsin.station_record WHERE name IN ({listed})),
            place_of AS (
                SELECT id, row_number() OVER (ORDER BY id) - 1 AS n
                FROM tocsin.site)
            UPDATE tocsin.site s SET station_record_id = p.id,
                account_number = lpad(o.n::text, 4, '0')
            FROM place_of o JOIN place p ON p.n = o.n % {len(names)}
            WHERE o.id = s.id;""")

    def clear(self):
        self.sql("""
            UPDATE tocsin.site SET station_record_id = NULL;
            DELETE FROM tocsin.station_record;
            DELETE FROM tocsin.receiver;""")

    def provide(self, output, addresses):
        self.clear()
        names = [f"bench-{number}" for number in range(len(addresses))]
        for number, address in enumerate(addresses):
            self.add_receiver(names[number], output, number, address)
        self.share_sites(names)
        return names

    def order(self, *words):
        """Over the control socket: a tocsinctl each would take longer than
        some deliveries."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.dir / "tocsind/control"))
            control.sendall(" ".join(words).encode() + b"\n")
            with control.makefile() as answer:
                for line in answer:
                    told = json.loads(line)
                    if "done" in told or "error" in told:
                        break
        if not told.get("done"):
            raise BenchError(f"{' '.join(words)}: {told.get('error')}")

    # ---- rates -------------------------------------------------------------------

    def drain(self, running, names, count):
        """Deliveries per second, and the main loop's time for each in us."""
        address, pid, metrics = running
        queued = self.load(address, 50, "--inflight", "8", "--count",
                           str(count))["acknowledged"]
        wait_until(lambda text: metric_sum(
            text, "tocsin_link_queue_length") == queued, metrics)
        begin, (ran, _) = time.monotonic(), schedule_s(pid)
        for name in names:
            self.order("resume", "link", name)
        while metric_sum(text := read_metrics(metrics),
                         "tocsin_link_queue_length") > 0:
            if time.monotonic() > begin + 120:
                raise BenchError("the queues are not empty after 120 s")
            time.sleep(POLL_S)
        spent = time.monotonic() - begin
        if metric_sum(text, "tocsin_deliveries_parked") > 0:
            raise BenchError("deliveries are parked")
        return queued / spent, (schedule_s(pid)[0] - ran) / queued * 1e6

    def witness(self, running, rate):
        """Within which bound 99 of 100 are delivered at this rate."""
        address, _, metrics = running
        before = delivery_buckets(read_metrics(metrics))
        self.load(address, 50, "--inflight", "8", "--rate", f"{rate:.0f}",
                  "--seconds", str(WITNESS_S))
        wait_until(lambda text: routing_done(text) and metric_sum(
            text, "tocsin_link_queue_length") == 0, metrics)
        return bound_of(before, delivery_buckets(read_metrics(metrics)), 0.99)

    def measure(self, output, stations):
        with self.stations(output, stations) as addresses:
            names = self.provide(output, addresses)
            with self.tocsind(paused=True) as running:
                count = output.count // (4 if self.quick else 1)
                rate, cpu_us = self.drain(running, names, count)
                half = min(rate / 2, HALF_RATE_MAX)
                return rate, cpu_us, half, self.witness(running, half)

    def rates(self, only):
        print("### Outputs\n")
        print(f"| output | one station: deliveries/s | main loop, us each | "
              f"99 % within, at | {STATIONS} stations: deliveries/s in all | "
              "main loop, us each | 99 % within, at |")
        print("|---|" + "---|" * 6)
        with self.postgres():
            self.seed("127.0.0.1:1", "127.0.0.1:1")
            for output in OUTPUTS:
                if only and only not in output.name:
                    continue
                cells = []
                for stations in (1, STATIONS):
                    rate, cpu_us, half, bound = self.measure(output, stations)
                    cells += [f"{rate:.0f}", f"{cpu_us:.1f}",
                              f"{in_words(bound)}, {half:.0f}/s"]
                print(f"| {output.name} | " + " | ".join(cells) + " |",
                      flush=True)
        print()

    # ---- outage --------------------------------------------------------------------

    @contextlib.contextmanager
    def standing(self, output, port, ledger):
        """A station of which the first line was read."""
        with self.first_line(*self.station_command(output, port, ledger)):
            yield

    def four(self):
        """Name, output, port of each station, all provided."""
        found = [(name.split(",")[0].lower().replace(" ", "-"),
                  output_named(name), free_port()) for name in FORMATS]
        self.clear()
        for number, (name, output, port) in enumerate(found):
            self.add_receiver(name, output, number, f"127.0.0.1:{port}")
        self.share_sites([name for name, _, _ in found])
        return found

    def begin_load(self, address, rate, seconds):
        last = 0x100000 + SITES - 1
        return subprocess.Popen(
            [self.program("tocsin-load"), "--target", address, "--panels",
             "50", "--accounts", f"100000-{last:X}", "--rate", f"{rate:g}",
             "--seconds", f"{seconds:g}", "--ledger",
             str(self.dir / "panels.ledger")], stdout=subprocess.DEVNULL)

    def catch_up(self, metrics, name):
        """What waited for the one that is back, and how long it took."""
        begin = time.monotonic()
        waited = self.queue_of(read_metrics(metrics), name)
        while self.queue_of(read_metrics(metrics), name) > 2:
            if time.monotonic() > begin + 600:
                raise BenchError(f"{name} does not catch up")
            time.sleep(0.05)
        return waited, time.monotonic() - begin

    @staticmethod
    def queue_of(text, name):
        return float(text.split(
            f'tocsin_link_queue_length{{link="{name}"}} ')[1].split("\n")[0])

    def play(self, four, minutes, rate):
        """The times (UTC, us) between the phases; what catching up took; how
        long the daemon's main loop waited for a processor in each phase."""
        (dead, output, port), aside = four[0], min(60, minutes * 60)
        with contextlib.ExitStack() as others:
            for name, other, at in four[1:]:
                others.enter_context(self.standing(
                    other, at, self.dir / f"{name}.ledger"))
            with self.tocsind(paused=False, archive=True) as running:
                address, pid, metrics = running
                waits = [processor_wait_s(pid)]
                first = subprocess.Popen(
                    self.station_command(output, port,
                                         self.dir / f"{dead}.ledger"),
                    stdout=subprocess.DEVNULL)
                load = self.begin_load(address, rate,
                                       2 * aside + 60 * minutes)
                try:
                    time.sleep(aside)
                    first.kill()
                    first.wait()
                    times = [time.time_ns() // 1000]
                    waits.append(processor_wait_s(pid))
                    time.sleep(60 * minutes)
                    with self.standing(output, port,
                                       self.dir / f"{dead}-again.ledger"):
                        times.append(time.time_ns() // 1000)
                        waits.append(processor_wait_s(pid))
                        caught = self.catch_up(metrics, dead)
                        times.append(time.time_ns() // 1000)
                        waits.append(processor_wait_s(pid))
                        if load.wait() != 0:
                            raise BenchError("tocsin-load failed")
                        wait_until(everything_done, metrics)
                        waits.append(processor_wait_s(pid))
                finally:
                    stop(load)
                    stop(first)
        return times, caught, [after - before for before, after in
                               zip(waits, waits[1:])]

    def prove(self, four):
        """compare_ledgers.py: whether all is well; its words."""
        places = self.dir / "map.tsv"
        places.write_text(self.sql(
            (SOURCE / "tests/tools/expected_map.sql").read_text()))
        marked = self.dir / "repeats.tsv"
        marked.write_text(self.sql(
            "SELECT d.account || ' ' || coalesce(d.qualifier, '-') || ' ' || "
            "d.code || ' ' || coalesce(d.partition, '-') || ' ' || "
            "coalesce(d.zone, '-') FROM tocsin.delivery_outcome o "
            "JOIN tocsin.delivery d USING (node, decision_lsn, delivery_index)"
            " CROSS JOIN generate_series(1, greatest(o.attempts - 1, 1)) "
            "WHERE o.repeated"))
        done = subprocess.run(
            ["python3", str(SOURCE / "tests/tools/compare_ledgers.py"),
             str(self.dir / "panels.ledger"), "--",
             *(f"{name}={path}" for name, path in self.ledgers(four)),
             "--map", str(places), "--repeats", str(marked)],
            capture_output=True, text=True, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    def ledgers(self, four):
        for name, _, _ in four:
            for path in (self.dir / f"{name}.ledger",
                         self.dir / f"{name}-again.ledger"):
                if path.exists():
                    yield name, path

    def latencies(self, four):
        """Of each station (when the panel was answered, how long until it was
        there), in us."""
        places = collections.defaultdict(dict)
        for line in (self.dir / "map.tsv").read_text().splitlines():
            panel, account, zone, _, name = line.split("\t")
            places[panel][zone.lstrip("0")] = name, account
        sent = collections.defaultdict(list)
        for line in (self.dir / "panels.ledger").read_text().splitlines():
            panel, _, kind, _, _, zone, when, number = line.split()[:8]
            place = places[panel].get(zone.lstrip("0"))
            if place and when != "?":
                sent[(*place, kind, zone.lstrip("0"))].append(
                    (int(number), int(when)))
        came = collections.defaultdict(list)
        for name, path in self.ledgers(four):
            for line in path.read_text().splitlines():
                fields = line.split()
                if fields[8] == "ack" and fields[9:10] != ["repeat"]:
                    came[name, fields[0], fields[1],
                         fields[4].lstrip("0")].append(int(fields[7]))
        found = collections.defaultdict(list)
        for key, signals in sent.items():
            for (_, when), there in zip(sorted(signals), came[key]):
                found[key[0]].append((when, max(there - when, 0)))
        return found

    def outage(self, minutes, rate):
        print(f"### One of four stations dead for {minutes:g} minutes\n")
        with self.postgres():
            self.seed("127.0.0.1:1", "127.0.0.1:1")
            four = self.four()
            times, (waited, spent), waits = self.play(four, minutes, rate)
            good, words = self.prove(four)
            found = self.latencies(four)
        names = ("before", "dead", "catching up", "after")
        print(f"{rate:g} signals/s over all; p50 / p99 / most in ms.\n")
        print("| station | " + " | ".join(names) + " |")
        print("|---|" + "---|" * len(names))
        for name, _, _ in four:
            print(f"| {name} | " + " | ".join(
                self.phase(found[name], begin, end) for begin, end in
                zip([0, *times], [*times, 1 << 62])) + " |")
        print("| the main loop waited for a processor | " + " | ".join(
            f"{seconds:.1f} s" for seconds in waits) + " |")
        print(f"\n{four[0][0]} was the dead one: {waited:.0f} deliveries "
              f"waited for it, and were there {spent:.1f} s after its return, "
              "of which its link may pause up to a minute.\n")
        print("```\n" + words + "```")
        return 0 if good else 1

    @staticmethod
    def phase(found, begin, end):
        times = sorted(us for when, us in found if begin <= when < end)
        if not times:
            return "-"
        last = len(times) - 1
        return " / ".join(f"{times[int(last * share)] / 1000:.1f}"
                          for share in (0.5, 0.99, 1))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("rates", "outage"))
    parser.add_argument("--build", required=True)
    parser.add_argument("--dir", default="bench-data")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", help="outputs with this text in their name")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=200)
    options = parser.parse_args()
    bench = Outputs(options)
    try:
        describe_machine(bench.dir)
        if options.what == "outage":
            return bench.outage(options.minutes, options.rate)
        bench.rates(options.only)
    except BenchError as error:
        print(f"outputs: {error}", file=sys.stderr)
        return 69
    finally:
        shutil.rmtree(bench.dir, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
