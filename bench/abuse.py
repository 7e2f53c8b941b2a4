#!/usr/bin/env python3
"""What honest panels notice while strangers do their worst; Markdown on standard output.

    abuse.py --build DIR [--dir DIR] [--only NAME]... [--scale F] [--seconds S]

1 000 signals a second of 50 honest panels, half of them clear and half over TLS,
on connections that stay; beside them one panel that makes a TLS connection for
each of its ten signals a second. Each kind of abuse runs between two turns in
which nobody else is there; its ratio is its p99 over the mean of theirs. Links are
paused and the archive is off, as in bench.py. The strangers have other
addresses of loopback, and run when nobody else would (SCHED_IDLE): elsewhere
they have processors of their own, and a waking tocsind waits for none of them.
How many of their connections were taken each second says whether they did their
worst. Panels by thousands have work of their own to do, and run at the lowest
priority that gets its share (nice 19). --scale takes so much of each number of
connections.

The most connections are bounded by the descriptors that a process may have
(ulimit -Hn); each row says how many were there, and what memory they took.
"""

import argparse
import collections
import contextlib
import itertools
import json
import os
import pathlib
import resource
import selectors
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

from bench import FIRST_ACCOUNT, SITES, TLS, Bench, BenchError, describe_machine, metric_sum, resident_kib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/integration"))
import panel  # noqa: E402  (frames that tocsin-load never sends)

# wanted: strangers' connections before honest panels come; later: these are there first
Row = collections.namedtuple("Row", "name what wanted begin later", defaults=(False,))
DESCRIPTORS_KEPT = 400  # for the daemon's own and the honest
SOURCES = 200  # of strangers, addresses
TICK_S = 0.5


# ---- strangers: each a process of its own -------------------------------------------

class Strangers:
    """Connections to one port, again as soon as one of them is closed."""

    def __init__(self, port, count):
        self.port, self.count = port, count
        self.selector = selectors.DefaultSelector()
        self.sources = itertools.cycle(f"127.1.0.{i + 1}" for i in range(SOURCES))
        self.held = set()

    def connect(self):
        s = socket.socket()
        s.setblocking(False)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        s.setsockopt(socket.SOL_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        s.bind((next(self.sources), 0))
        with contextlib.suppress(BlockingIOError):
            s.connect(("127.0.0.1", self.port))
        self.held.add(s)
        self.selector.register(s, selectors.EVENT_WRITE)

    def close(self, s):
        self.selector.unregister(s)
        self.held.discard(s)
        s.close()

    def begin(self, s):
        """What it says once it is connected."""

    def heard(self, s, data):
        """What it says to an answer."""

    def tick(self):
        """What all of them say now and then."""

    def ready(self, s, events):
        try:
            if events & selectors.EVENT_WRITE:
                self.selector.modify(s, selectors.EVENT_READ)
                self.begin(s)
                return
            data = s.recv(65536)
            if data:
                self.heard(s, data)
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.close(s)

    def run(self):
        next_tick = 0
        while True:
            for _ in range(min(self.count - len(self.held), 500)):
                self.connect()
            for key, events in self.selector.select(0.02):
                self.ready(key.fileobj, events)
            if time.monotonic() >= next_tick:
                self.tick()
                next_tick = time.monotonic() + TICK_S


class Loris(Strangers):
    """A frame that comes a byte at a time, and never ends."""

    def tick(self):
        for s in list(self.held):
            with contextlib.suppress(OSError):
                s.send(b"\n")


class HalfHandshakes(Strangers):
    """The first half of a hello."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        out = ssl.MemoryBIO()
        client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="a")
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        hello = out.read()
        self.half = hello[:len(hello) // 2]

    def begin(self, s):
        s.send(self.half)


class Scan(Strangers):
    """Other protocols, clear text where TLS is expected, a bare connection."""
    texts = itertools.cycle((b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"OPTIONS sip:nm SIP/2.0\r\n\r\n", b"\n" * 5000,
                             bytes(5000), b"\x16\x03\x01\x02\x00\x01" + bytes(250), panel.frame("1234", "1130 01 002"), b""))

    def begin(self, s):
        s.send(next(self.texts))
        s.shutdown(socket.SHUT_WR)


class CrcStorm(Strangers):
    """Damaged frames, and a sound one now and then so that it may go on."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        bad = b"\n0000" + panel.frame("100001", "1130 01 002")[5:]
        self.block = (bad * 60 + panel.frame("100001", "", identifier="NULL")) * 4

    def begin(self, s):
        s.send(self.block)

    def heard(self, s, data):
        with contextlib.suppress(BlockingIOError):
            s.send(self.block)


class DuplicateStorm(Strangers):
    """Each signal a hundred times, before the first is answered."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.numbers, self.owed = itertools.count(1), {}

    def begin(self, s):
        number = next(self.numbers)
        frame = panel.frame(f"{FIRST_ACCOUNT + number % SITES:06X}", f"1130 01 {number % 997:03d}",
                            sequence=number % 9999 + 1)
        self.owed[s] = 100
        s.send(frame * 100)

    def heard(self, s, data):
        self.owed[s] -= data.count(b"\r")
        if self.owed[s] <= 0:
            self.begin(s)


STRANGERS = {kind.__name__: kind for kind in (Loris, HalfHandshakes, Scan, CrcStorm, DuplicateStorm)}


def step_back():
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


# ---- the measure ---------------------------------------------------------------------

class Abuse(Bench):
    def __init__(self, options):
        options.quick = False
        super().__init__(options)
        self.options = options
        self.stay_s = options.seconds
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
        self.most = limit[1] - DESCRIPTORS_KEPT

    def many(self, count):
        return min(int(count * self.options.scale), self.most)

    # ---- who is there

    def start(self, *command, **options):
        return subprocess.Popen(command, stdout=options.get("stdout", subprocess.DEVNULL), text=True,
                                preexec_fn=options.get("preexec_fn"))

    @contextlib.contextmanager
    def strangers(self, kind, port, count):
        process = self.start(sys.executable, __file__, "--stranger", kind, "--port", str(port), "--count", str(count),
                             preexec_fn=step_back)
        try:
            yield
        finally:
            process.kill()
            process.wait()

    @contextlib.contextmanager
    def crowd(self, port, count, *options):
        """Panels that all come at once, each with a signal, and stay."""
        process = self.start(self.program("tocsin-load"), "--target", f"127.0.0.1:{port}", "--panels", str(count),
                             "--accounts", f"{0x200000:X}-{0x200000 + count - 1:X}", "--persist", "--stay", "10min", *options,
                             preexec_fn=lambda: os.nice(19))
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def honest(self, port, *options):
        first = next(self.accounts)
        return self.start(self.program("tocsin-load"), "--target", f"127.0.0.1:{port}", "--json", "--seconds",
                          str(self.stay_s), "--accounts", f"{first:X}-{first + 24:X}", "--timeout", "30s",
                          "--allow-unacknowledged", *options, stdout=subprocess.PIPE)

    def ask_honest(self, meanwhile=contextlib.nullcontext):
        """(clear, TLS, a TLS connection each): microseconds of p50 and p99; and what is there at the end: connections,
        KiB, and how many connections came each second."""
        self.accounts = itertools.count(FIRST_ACCOUNT, 25)
        steady = ("--panels", "25", "--rate", "500")
        loads = [self.honest(self.port, *steady), self.honest(self.tls_port, *steady, *TLS),
                 self.honest(self.tls_port, "--panels", "10", "--rate", "10", "--reconnect", *TLS)]
        self.settle(50)
        came, began = self.metric("tocsin_sessions_total"), time.monotonic()
        with meanwhile():
            found = [json.loads(load.communicate(timeout=120)[0]) for load in loads]
            there = (self.metric("tocsin_sessions"), resident_kib(self.pid),
                     (self.metric("tocsin_sessions_total") - came) / (time.monotonic() - began))
        for load in found:
            if load["unacknowledged"] > 0:
                raise BenchError(f"{load['unacknowledged']} honest signals were not acknowledged")
        return [(load["latency_us"]["p50"], load["latency_us"]["p99"]) for load in found], there

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=10) as answer:
            return metric_sum(answer.read().decode(), name)

    def settle(self, wanted):
        """Until so many connections are there, or no more of them come."""
        before, same = -1, 0
        while same < 6:
            now = self.metric("tocsin_sessions")
            if now >= wanted:
                return
            same = same + 1 if now <= before else 0
            before = max(before, now)
            time.sleep(TICK_S)

    @staticmethod
    def within(count, seconds):
        return "--count", str(count), "--rate", f"{count / seconds:.0f}"

    # ---- rows

    def abuses(self):
        loris, half, back, idle = (self.many(count) for count in (5000, 10000, 20000, 50000))
        return (
            Row("slow-loris", f"{loris} connections that trickle a byte every half second", loris,
                lambda: self.strangers("Loris", self.port, loris)),
            Row("half-handshakes", f"{half} half handshakes", half,
                lambda: self.strangers("HalfHandshakes", self.tls_port, half), True),
            Row("scan", "200 at a time that speak other protocols", 0, lambda: self.strangers("Scan", self.port, 200)),
            Row("scan-tls", "the same on the TLS port", 0, lambda: self.strangers("Scan", self.tls_port, 200)),
            Row("crc", "20 panels that send damaged frames without end", 20,
                lambda: self.strangers("CrcStorm", self.port, 20)),
            Row("duplicates", "20 panels that say each signal 100 times", 20,
                lambda: self.strangers("DuplicateStorm", self.port, 20)),
            Row("flood", "one panel that floods, 1 024 in flight", 1,
                lambda: self.crowd(self.port, 1, "--inflight", "1024", "--seconds", "600")),
            Row("reconnect", f"{back} panels that come back at once, each with a signal within 5 s", 0,
                lambda: self.crowd(self.idle_port, back, *self.within(back, 5))),
            Row("reconnect-tls", f"{back} that do over TLS", 0,
                lambda: self.crowd(self.tls_port, back, *self.within(back, 5), *TLS)),
            Row("burst", f"{back} panels that come back at once, each with a signal at once", 0,
                lambda: self.crowd(self.idle_port, back, "--count", str(back))),
            Row("idle", f"{idle} idle connections", idle,
                lambda: self.crowd(self.idle_port, idle, "--rate", "0.01", "--seconds", "600")),
            Row("idle-tls", f"{idle} idle connections over TLS", idle,
                lambda: self.crowd(self.tls_port, idle, "--rate", "0.01", "--seconds", "600", *TLS)),
        )

    def measure(self, row):
        with self.tocsind() as (address, self.pid, self.metrics):
            self.port = int(address.rsplit(":", 1)[1])
            before, (_, before_kib, _) = self.ask_honest()
            if row.later:
                found, there = self.ask_honest(row.begin)
            else:
                with row.begin():
                    self.settle(row.wanted)
                    found, there = self.ask_honest()
            self.until_gone()
            after, _ = self.ask_honest()
        self.report(row, found, [(a[1] + b[1]) / 2 for a, b in zip(before, after)], before_kib, there)

    @staticmethod
    def report(row, found, quiet, before_kib, there):
        print(f"| {row.what} | " + " | ".join(
            f"{half} / {most} | {alone:.0f} | {most / alone:.1f}" for (half, most), alone in zip(found, quiet)) +
            f" | {there[0]:.0f}, {there[2]:.0f}/s | {before_kib // 1024} / {there[1] // 1024} MiB |", flush=True)

    def until_gone(self):
        while self.metric("tocsin_sessions") > 0:
            time.sleep(TICK_S)

    def all(self):
        print("| p50 / p99 us | clear | p99 alone | ratio | TLS | p99 alone | ratio | a new TLS connection each | "
              "p99 alone | ratio | connections | resident, before / then |")
        print("|---|" + "---|" * 11)
        with self.postgres():
            self.seed("127.0.0.1:1", "127.0.0.1:1")
            for row in self.abuses():
                if not self.options.only or row.name in self.options.only:
                    self.measure(row)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build")
    parser.add_argument("--dir", default="bench-data")
    parser.add_argument("--only", action="append")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--stranger", choices=sorted(STRANGERS), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stranger:
        STRANGERS[options.stranger](options.port, options.count).run()
        return 0
    if not options.build:
        parser.error("--build is needed")
    bench = Abuse(options)
    try:
        describe_machine(bench.dir)
        bench.all()
    except BenchError as error:
        print(f"abuse: {error}", file=sys.stderr)
        return 69
    finally:
        shutil.rmtree(bench.dir, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
