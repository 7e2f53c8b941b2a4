"""Whole programs for tests: a private PostgreSQL, tocsind, stations, load.

Everything listens on loopback or a Unix socket in a directory of its own, is
stopped by pid, and is waited for by condition.
"""
import atexit
import functools
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import psycopg2

SOURCE = pathlib.Path(os.environ.get(
    "TOCSIN_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("TOCSIN_BUILD", SOURCE / "build/release"))
PROGRAMS = BUILD / "src"
MEMORY = os.environ.get("TOCSIN_MEMORY_DIR")  # for what needs no disk
WAIT_S = 60


def wait_until(condition, what, seconds=WAIT_S):
    """The first true value of condition(), polled; fails with what."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


# Ports to listen on: below those the kernel gives to clients, and of each
# process that runs tests beside others a range of its own, so that nobody
# takes one between its choice and its use.
PORTS_EACH = 2500
first_port = 10000 + PORTS_EACH * int(
    os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
ports = itertools.count(random.randrange(PORTS_EACH))


def free_port(kind=socket.SOCK_STREAM):
    for number in itertools.islice(ports, PORTS_EACH):
        port = first_port + number % PORTS_EACH
        with socket.socket(socket.AF_INET, kind) as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise AssertionError(f"no port free from {first_port} on")


SERVERS = "tocsind", "tocsin-portal"  # no two of their runs are alike
run_before = set()


def environment(*what):
    """Of a program: leaks are looked for when it first does this here. That takes
    more of the processor than most of what they do, and there are thousands of
    runs."""
    options = os.environ.get("ASAN_OPTIONS", "")
    if what in run_before:
        options += ":detect_leaks=0"
    run_before.add(what)
    return {**os.environ, "ASAN_OPTIONS": options.strip(":")}


class Program:
    """A child whose output goes to a file; killed with the test."""

    def __init__(self, name, *arguments, log, variables=None, within=()):
        self.log = pathlib.Path(log)
        self.command = [*within, str(PROGRAMS / name), *map(str, arguments)]
        kind = [str(word) for word in arguments if str(word).startswith("--")]
        known = os.environ if name in SERVERS else environment(name, *kind)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                self.command, stdout=out, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**known, **(variables or {})})

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def text(self):
        return self.log.read_text(errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.running():
            self.process.kill()
        self.process.wait()

    def stop(self, seconds=WAIT_S):
        """SIGTERM and wait; returns the exit status."""
        if self.running():
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.command[0]} did not stop:\n"
                                 + self.text()[-3000:])

    def wait(self, seconds=WAIT_S):
        return self.process.wait(seconds)

    def wait_for_line(self, prefix):
        """The rest of the first line that starts with prefix."""
        def find():
            for line in self.text().splitlines():
                if line.startswith(prefix):
                    return line[len(prefix):].strip() or True
            if not self.running():
                raise AssertionError(
                    f"{self.command} ended:\n{self.text()[-3000:]}")
            return None
        return wait_until(find, f"'{prefix}' from {self.command[0]}")


class Postgres:
    """A private cluster (tests/tools/private_postgres)."""

    TOOL = SOURCE / "tests/tools/private_postgres"

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.idle = []
        self.start()

    def start(self):
        """Make it, or start it again after it was killed."""
        done = subprocess.run(
            [self.TOOL, "start", self.directory], capture_output=True,
            text=True, env={**os.environ, "PRIVATE_POSTGRES_OPTIONS":
                            "-c fsync=off -c autovacuum=off "
                            "-c max_connections=40"})
        assert done.returncode == 0, done.stderr
        self.conninfo = done.stdout.strip()
        pid_file = self.directory / "data/postmaster.pid"
        self.pid = int(pid_file.read_text().splitlines()[0])

    def stop(self):
        subprocess.run([self.TOOL, "stop", self.directory],
                       capture_output=True)

    def shut_down(self):
        """Stop it in order, and keep what it holds."""
        os.kill(self.pid, signal.SIGINT)
        pid_file = self.directory / "data/postmaster.pid"
        wait_until(lambda: not pid_file.exists(), "PostgreSQL ends")

    def processes(self):
        """The postmaster and all its children."""
        children = subprocess.run(["pgrep", "-P", str(self.pid)],
                                  capture_output=True, text=True).stdout
        return [self.pid, *map(int, children.split())]

    def signal_all(self, number):
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def connected(self):
        """A connection that was used before and is as new, or a new one: that
        takes PostgreSQL milliseconds, and what waits for a condition asks
        fifty times a second."""
        while self.idle:
            connection = self.idle.pop()
            try:
                connection.reset()
                return connection
            except psycopg2.Error:
                connection.close()
        return psycopg2.connect(self.conninfo)

    def query(self, sql, *values):
        connection = self.connected()
        with connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            rows = cursor.fetchall() if cursor.description else None
        self.idle.append(connection)
        return rows


@functools.cache
def migrated_cluster():
    """The data directory of a cluster with the schema, to be copied: initdb
    and the migrations take seconds."""
    directory = make_directory(MEMORY)
    atexit.register(remove_directory, directory)
    postgres = Postgres(directory / "pg")
    subprocess.run([PROGRAMS / "tocsinctl", "db", "migrate",
                    "--sql", SOURCE / "sql", "--database", postgres.conninfo],
                   check=True, capture_output=True)
    postgres.shut_down()
    return directory / "pg/data"


def migrated_postgres():
    directory = make_directory(MEMORY)
    subprocess.run(["cp", "-a", migrated_cluster(), directory / "data"],
                   check=True)
    return Postgres(directory)


class Installation:
    """One tocsind with its database, directories and helpers."""

    def __init__(self, directory, node="test"):
        self.directory = pathlib.Path(directory)
        self.node = node
        self.port = free_port()
        self.udp_port = free_port(socket.SOCK_DGRAM)
        self.metrics_port = free_port()
        self.extra = {}
        self.programs = []
        self.postgres = migrated_postgres()
        self.run_directory = self.directory / "run"
        for name in ("journal", "state", "run"):
            (self.directory / name).mkdir(exist_ok=True)
        self.daemon = None

    def close(self):
        for program in reversed(self.programs):
            program.kill()
        self.postgres.stop()

    # ---- configuration and daemon

    def write_config(self):
        sections = {
            "node": {"name": self.node, "state_dir": self.directory / "state",
                     "run_dir": self.run_directory},
            "journal": {"dir": self.directory / "journal",
                        "segment_size": "16MiB", "budget": "1GiB"},
            "database": {"conninfo": self.postgres.conninfo},
            "directory": {"snapshot": self.directory / "state/directory"},
            "ingress": {"workers": 1},
            "listener tcp": {"protocol": "dc09", "transport": "tcp",
                             "address": "127.0.0.1", "port": self.port},
            "listener udp": {"protocol": "dc09", "transport": "udp",
                             "address": "127.0.0.1", "port": self.udp_port},
            "admin": {"metrics": f"127.0.0.1:{self.metrics_port}"},
        }
        for section, keys in self.extra.items():
            sections.setdefault(section, {}).update(keys)
        text = ""
        for section, keys in sections.items():
            text += f"[{section}]\n"
            text += "".join(f"{k} = {v}\n" for k, v in keys.items()) + "\n"
        self.config = self.directory / "tocsin.ini"
        self.config.write_text(text)

    def start_daemon(self, wait=True, variables=None, within=()):
        """within: a command that becomes the one whose words follow."""
        self.write_config()
        self.daemon = self.start("tocsind", "-c", self.config,
                                 log=self.directory / "tocsind.log",
                                 variables=variables, within=within)
        if wait:
            self.wait_ready()
        return self.daemon

    def wait_ready(self):
        def ready():
            assert self.daemon.running(), self.daemon.text()[-4000:]
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1), \
                        self.control():
                    return True
            except OSError:
                return False
        wait_until(ready, "tocsind accepts connections")

    def page(self, path):
        """Status and text of a page of the metrics port."""
        url = f"http://127.0.0.1:{self.metrics_port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=WAIT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name):
        """Its value, summed over its labels; None: there is none."""
        values = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$",
                            self.page("/metrics")[1], re.M)
        return sum(map(float, values)) if values else None

    def control(self):
        """A connection to the control socket."""
        control = socket.socket(socket.AF_UNIX)
        control.settimeout(WAIT_S)
        try:
            control.connect(str(self.run_directory / "control"))
        except OSError:
            control.close()
            raise
        return control

    def start(self, name, *arguments, log, variables=None, within=()):
        program = Program(name, *arguments, log=log, variables=variables,
                          within=within)
        self.programs.append(program)
        return program

    # ---- commands

    def ctl(self, *arguments, check=True, database=True, options=True):
        """tocsinctl; returns its standard output. options=False: an offline
        command, which takes neither database nor socket."""
        where = ["--database", self.postgres.conninfo] if database else \
            ["--socket", str(self.run_directory / "control")]
        if not options:
            where = []
        done = subprocess.run(
            [PROGRAMS / "tocsinctl", *map(str, arguments), *where],
            capture_output=True, text=True, timeout=WAIT_S,
            env=environment("tocsinctl", *arguments[:2]))
        if check:
            assert done.returncode == 0, (arguments, done.stdout, done.stderr)
            return done.stdout
        return done

    def live(self, *words):
        """A command over the control socket; its JSON lines. What waits for a
        condition asks many times, and a tocsinctl for each takes a third of a
        second of processor time under the sanitizers."""
        request = " ".join('"' + str(word).replace('"', '""') + '"'
                           for word in words)
        with self.control() as control:
            control.sendall(request.encode() + b"\n")
            lines = []
            with control.makefile("rb") as answer:
                for line in answer:
                    lines.append(json.loads(line))
                    if "done" in lines[-1]:
                        break
        assert lines and lines[-1].get("done") is True, (words, lines)
        return lines[:-1]

    # ---- stations and load

    def station(self, name, *arguments, protocol="surgard", listen=None):
        """A simulated station; .port is where it listens."""
        ledger = self.directory / f"{name}.ledger"
        count = len(list(self.directory.glob(f"{name}*.log")))
        program = self.start(
            "tocsin-station", "--protocol", protocol, "--listen",
            f"127.0.0.1:{listen or 0}", "--ledger", ledger, *arguments,
            log=self.directory / f"{name}.{count}.log")
        program.port = int(program.wait_for_line("listening ")
                           .rsplit(":", 1)[1])
        program.ledger = ledger
        program.name = name
        return program

    def load(self, name, *arguments, port=None):
        """tocsin-load in the background; .ledger is what was acknowledged."""
        ledger = self.directory / f"{name}.ledger"
        program = self.start(
            "tocsin-load", "--target", f"127.0.0.1:{port or self.port}",
            "--ledger", ledger, "--json", *arguments,
            log=self.directory / f"{name}.log")
        program.ledger = ledger
        return program

    def drained(self):
        """Every signal decided, delivered or parked, and archived."""
        status = self.live("show", "status")[0]
        return status.get("idle") and not status.get("archive_lag_bytes")


def other_time(ahead_s, speed):
    """The environment in which tocsind has clocks of its own: all of them that
    much ahead when it starts, and so many times as fast."""
    [library] = pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    linked = subprocess.run(["ldd", PROGRAMS / "tocsind"], text=True,
                            stdout=subprocess.PIPE, check=True).stdout
    # a sanitizer has to come first
    first = re.findall(r"/\S*lib[at]san\S*", linked)
    return {"LD_PRELOAD": ":".join([*first, str(library)]),
            "FAKETIME": f"+{ahead_s} x{speed}"}


def make_directory(parent=None):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-test-", dir=parent))
    directory.chmod(0o711)  # the server's user passes through to its own
    return directory


def remove_directory(directory):
    shutil.rmtree(directory, ignore_errors=True)


def ledger_lines(path):
    path = pathlib.Path(path)
    return path.read_text().splitlines() if path.exists() else []


__all__ = ["BUILD", "Installation", "Postgres", "PROGRAMS", "Program",
           "SOURCE", "free_port", "ledger_lines", "make_directory",
           "migrated_postgres", "remove_directory", "signal", "subprocess",
           "sys", "wait_until"]
