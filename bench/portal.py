#!/usr/bin/python3
"""The portal beside a running tocsind, and at scale; Markdown on standard output.

    portal.py scale --build DIR [--dir DIR] [--sites N] [--cluster DIR]
    portal.py flood --build DIR [--dir DIR] [--seconds S] [--turns N]

scale: a private PostgreSQL with N sites of a thousand dealers, each site with a
bridge, an account, a contact and history. Each question that a page asks is
asked of tocsin-portal again and again by users of each role, one at a time, and
timed from the request to the whole answer. --cluster keeps what was filled, for
the next time.

flood: tocsind gets 1 000 signals a second over 50 connections, delivers them and
archives them. Turn by turn the portal is quiet, flooded by wrk, or killed and
started again without end: what each does to the time until a signal is
acknowledged stands beside the quiet turns before and after it.
"""

import argparse
import contextlib
import http.client
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse

import psycopg2

from bench import SOURCE, Bench, BenchError, describe_machine, latencies, stop

PASSWORD = "correct horse battery"
DEALERS = 1000
# Dealer 1 has a tenth of all sites, dealer 2 a fifth, by a hundred sub-dealers;
# the others share the rest. Ten centers, of which each dealer uses each.
FILL = (
    """
    INSERT INTO dealer (id, name, parent_id)
        SELECT i, 'Dealer ' || i, CASE WHEN i BETWEEN 3 AND 102 THEN 2 END FROM generate_series(1, %(dealers)s) i;
    INSERT INTO center (id, name) SELECT i, 'Center ' || i FROM generate_series(1, 10) i;
    INSERT INTO receiver (id, center_id, name, protocol) SELECT i, i, 'receiver ' || i, 'dc09' FROM generate_series(1, 10) i;
    INSERT INTO station_record (id, dealer_id, center_id, receiver_id, name)
        SELECT d * 10 + c, d, c, c, 'Station ' || c FROM generate_series(1, %(dealers)s) d, generate_series(1, 10) c;
    CREATE FUNCTION pg_temp.dealer_of(i bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE i %% 10 WHEN 0 THEN 1 WHEN 1 THEN 3 + i / 10 %% 100 WHEN 2 THEN 3 + i / 10 %% 100
            ELSE 103 + i %% (%(dealers)s - 102) END $$;
    -- letters that say nothing, the same each time
    CREATE FUNCTION pg_temp.word(i bigint, what text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT initcap(translate(left(md5(what || i), 7), '0123456789', 'ghijklmnop')) $$;
    INSERT INTO site (id, dealer_id, name, address1, city, postal_code, country, timezone, external_id, state,
            station_record_id, account_number, arming_method)
        SELECT i, d, pg_temp.word(i, 'name') || ' ' || (ARRAY['House', 'Shop', 'School', 'Farm', 'Store', 'Office', 'Garage', 'Yard'])[1 + i %% 8],
            pg_temp.word(i %% 20000, 'street') || ' Street ' || i %% 90 + 1, pg_temp.word(i %% 200, 'city'), lpad((i %% 99999)::text, 5, '0'),
            'Greece', 'UTC', 'C' || i, CASE WHEN i %% 97 = 0 THEN 'inactive' ELSE 'active' END,
            d * 10 + 1 + i / 10 %% 10, lpad(upper(to_hex(i)), 6, '0'), 'always'
        FROM (SELECT i, pg_temp.dealer_of(i) AS d FROM generate_series(1, %(sites)s) i) n;
    """,
    """
    INSERT INTO effective_account (site_id, station_record_id, center_id, receiver_id, account, sent_as, active)
        SELECT s.id, s.station_record_id, r.center_id, r.receiver_id, s.account_number, s.account_number, s.state = 'active'
        FROM site s JOIN station_record r ON r.id = s.station_record_id;
    INSERT INTO bridge (id, serial, transport_account, site_id)
        SELECT i, upper(left(md5('serial' || i), 12)), lpad(upper(to_hex(i)), 6, '0'), i FROM generate_series(1, %(sites)s) i;
    INSERT INTO channel (id, bridge_id, name, zone_type) SELECT i, i, 'Front door', 1 FROM generate_series(1, %(sites)s) i;
    INSERT INTO channel_zone (bridge_id, zone_number, channel_id) SELECT i, '001', i FROM generate_series(1, %(sites)s) i;
    INSERT INTO contact (id, site_id, name, phone) SELECT i, i, 'Ann ' || i, '555 ' || i FROM generate_series(1, %(sites)s) i;
    """,
    """
    INSERT INTO alarm_library (site_id, zone_type, enabled) SELECT i, 3, false FROM generate_series(1, %(sites)s, 20) i;
    INSERT INTO user_account (id, login, name, role, dealer_id)
        SELECT d, 'admin' || d, 'Admin', 'dealer_admin', d FROM generate_series(1, %(dealers)s) d;
    INSERT INTO user_account (id, login, name, role, dealer_id)
        SELECT 100000 + i, 'member' || i, 'Member ' || i, 'app_member', dealer_id FROM site, LATERAL (SELECT id AS i) n WHERE id %% 20 = 0;
    INSERT INTO app_member (site_id, user_id, user_number) SELECT id, 100000 + id, 1 FROM site WHERE id %% 20 = 0;
    INSERT INTO user_account (id, login, name, role, center_id) VALUES (50001, 'center', 'Center', 'center', 1);
    INSERT INTO user_account (id, login, name, role) VALUES (50002, 'operator', 'Operator', 'operator');
    INSERT INTO audit_log (chain, xid, at, actor, database_role, table_name, row_key, action, new, hash)
        SELECT dealer_id, '1', now(), 'admin', 'x', 'site', id::text, 'insert', '{"name": "x"}', '' FROM site;
    SELECT ensure_partitions(current_date, current_date);
    INSERT INTO event (node, lsn, item, boot, received_at, protocol, encrypted, format, code, qualifier, raw, verdict, flags,
            decision_lsn, delivery_count, dealer_id, site_id)
        SELECT 'bench', i, 0, 1, current_date + i * interval '50 ms', 'dc09', false, 'contact-id', '130', 'E', '', 'suppressed', 0,
            i, 0, s.dealer_id, s.id FROM generate_series(1, %(sites)s) i JOIN site s ON s.id = i %% 1000 + 1;
    """)


class PortalBench(Bench):
    def __init__(self, options):
        options.quick = False
        super().__init__(options)
        self.options = options

    def execute(self, sql, values=None):
        with contextlib.closing(psycopg2.connect(self.conninfo)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("SET search_path = tocsin", None)
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else None

    def give_passwords(self, first):
        """The first user's password is everybody's."""
        word = self.dir / "password"
        word.write_text(PASSWORD + "\n")
        self.run(self.program("tocsinctl"), "user", "password", "--login", first, "--password", str(word), "--database", self.conninfo)
        self.execute("UPDATE user_account u SET (password_salt, password_operations, password_memory_bytes, password_hash) = ("
                     "SELECT password_salt, password_operations, password_memory_bytes, password_hash FROM user_account "
                     "WHERE login = %s) WHERE role <> 'app_member' OR id %% 100000 < 100", (first,))

    def portal_config(self, state=None):
        """state: of a tocsind, whose socket the portal gets."""
        path = self.dir / "portal.ini"
        path.write_text("[portal]\nlisten = 127.0.0.1:0\nbehind_proxy = yes\n"
                        f"web = {SOURCE / 'web'}\n[database]\nconninfo = {self.conninfo.replace('user=tocsin', 'user=web')}\n"
                        + (f"[tocsind]\nsocket = {state}/portal\n" if state else ""))
        return path

    def portal_command(self, state=None):
        """With the priority that its unit gives it."""
        return "nice", "-n", "10", self.program("tocsin-portal"), "-c", str(self.portal_config(state))

    @staticmethod
    def address_of(process):
        """Once it listens."""
        port = process.stdout.readline().rsplit(":", 1)[-1].strip()
        if not port.isdigit():
            raise BenchError("tocsin-portal did not start")
        return f"127.0.0.1:{port}"

    @contextlib.contextmanager
    def portal(self, state=None):
        process = subprocess.Popen(self.portal_command(state), stdout=subprocess.PIPE, text=True)
        try:
            yield self.address_of(process)
        finally:
            stop(process)
            process.stdout.close()


class Visitor:
    """A user of the portal, at an address that changes with each request: what one address may ask is bounded."""

    count = 0

    def __init__(self, address, login):
        self.connection = http.client.HTTPConnection(address, timeout=60)
        self.cookie = ""
        status, headers, body = self.request("POST", "/session", {"login": login, "password": PASSWORD})
        if status != 200:
            raise BenchError(f"{login} cannot sign in: {body}")
        self.cookie = headers["Set-Cookie"].split(";")[0]

    def request(self, method, path, body=None):
        Visitor.count += 1
        headers = {"Cookie": self.cookie, "Content-Type": "application/json",
                   "X-Forwarded-For": f"10.0.{Visitor.count // 250 % 250}.{Visitor.count % 250}"}
        self.connection.request(method, "/api/v1" + path, body and json.dumps(body), headers)
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


# ---- at scale ------------------------------------------------------------------------------


class Scale(PortalBench):
    SAMPLES = 15
    USERS = {"a tenth of all sites": "admin1", "100 sub-dealers": "admin2", "a small dealer": "admin500", "center": "center",
             "operator": "operator"}

    @contextlib.contextmanager
    def cluster(self):
        kept = self.options.cluster
        tool = str(SOURCE / "tests/tools/private_postgres")
        self.conninfo = self.run(tool, "start", *([kept] if kept else [])).strip()
        place = self.run(tool, "dir", self.conninfo).strip()
        try:
            self.run(self.program("tocsinctl"), "db", "migrate", "--sql", str(SOURCE / "sql"), "--database", self.conninfo)
            if self.execute("SELECT count(*) FROM (SELECT FROM dealer LIMIT 1) d") == [(0,)]:
                self.fill()
            yield
        finally:
            if kept:
                pid = pathlib.Path(place, "data/postmaster.pid").read_text().splitlines()[0]
                subprocess.run(["kill", "-INT", pid], check=True)
            else:
                self.run(tool, "stop", place)

    def fill(self):
        """Without the slow indexes, which are made afterwards."""
        slow = self.execute("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'tocsin' AND indexdef ~ 'USING gin'")
        for name, _ in slow:
            self.execute(f"DROP INDEX {name}")
        for part in FILL:
            self.execute("SET session_replication_role = replica; " + part, {"sites": self.options.sites, "dealers": DEALERS})
        for _, definition in slow:
            self.execute("SET maintenance_work_mem = '512MB'; " + definition)
        with contextlib.closing(psycopg2.connect(self.conninfo)) as connection:
            connection.autocommit = True
            connection.cursor().execute("VACUUM ANALYZE")
        self.execute("CREATE ROLE web LOGIN IN ROLE tocsin_portal")
        self.give_passwords("admin1")

    def sites_of(self, login):
        """Ids of some that the user sees, of all its dealers and stations."""
        [(role, dealer, center)] = self.execute("SELECT role, dealer_id, center_id FROM user_account WHERE login = %s", (login,))
        mine = {"operator": "true", "center": f"station_record_id % 10 = {center} % 10"}.get(
            role, "dealer_id BETWEEN 3 AND 102" if dealer == 2 else f"dealer_id = {dealer}")
        return self.execute(f"SELECT id, name, address1, city, account_number, b.serial FROM site s, LATERAL (SELECT serial "
                            f"FROM bridge WHERE site_id = s.id) b WHERE {mine} ORDER BY hashint8(s.id) LIMIT {self.SAMPLES}")

    @staticmethod
    def questions():
        """What a page asks: its name, and the path for a site's row."""
        def search(pick):
            return lambda row: "/sites/search?" + urllib.parse.urlencode({"q": pick(*row)})

        def address(pick):
            return lambda row: "/addresses/known?" + urllib.parse.urlencode({"q": pick(row[2])})

        def of_site(rest):
            return lambda row: f"/sites/{row[0]}{rest}"
        return {
            "customers, first page": lambda row: "/sites",
            "customers, from the middle": lambda row: f"/sites?after={row[0]}",
            "customers, inactive": lambda row: "/sites?state=inactive",
            "search: a name": search(lambda site, name, street, city, account, serial: name),
            "search: six letters of a name": search(lambda site, name, street, city, account, serial: name[1:7]),
            "search: three letters": search(lambda site, name, street, city, account, serial: name[1:4]),
            "search: what many are called": search(lambda *row: "house"),
            "search: street and number": search(lambda site, name, street, city, account, serial: street),
            "search: a city": search(lambda site, name, street, city, account, serial: city),
            "search: an account": search(lambda site, name, street, city, account, serial: account),
            "search: a part of an account": search(lambda site, name, street, city, account, serial: account[1:5]),
            "search: a bridge's serial": search(lambda site, name, street, city, account, serial: serial),
            "search: a part of a serial": search(lambda site, name, street, city, account, serial: serial[2:7]),
            "search: nothing like it": search(lambda *row: "zzqqxx"),
            "addresses as typed": address(lambda street: street), "addresses, one letter wrong": address(lambda street: street[:3] + "x" + street[4:]),
            "addresses, every street": address(lambda street: "street"),
            "a customer": of_site(""), "its warnings": of_site("/warnings"), "its bridges": of_site("/bridges"),
            "its alarm codes": of_site("/library"), "its contacts": of_site("/contacts"), "its members": of_site("/members"),
            "its partitions": of_site("/partitions"), "its schedule": of_site("/windows"), "its history": of_site("/events"),
            "channels of a bridge": lambda row: f"/bridges/{row[0]}/channels",
            "dealers": lambda row: "/dealers", "station records, a page": lambda row: "/stations", "receivers": lambda row: "/receivers",
            "alarm codes of a dealer": lambda row: "/dealers/1/library", "templates": lambda row: "/templates",
            "users": lambda row: "/users", "keys": lambda row: "/keys", "audit trail": lambda row: "/audit"}

    def ask(self, visitor, path):
        begin = time.perf_counter()
        status, _, body = visitor.request("GET", path)
        took_ms = (time.perf_counter() - begin) * 1000
        if status not in (200, 403, 404):
            raise BenchError(f"{path}: {status} {body[:200]}")
        return took_ms, status == 200

    def measure(self):
        with self.cluster(), self.portal() as address:
            users = {who: (Visitor(address, login), self.sites_of(login)) for who, login in self.USERS.items()}
            print("| ms, half within / at most | " + " | ".join(users) + " |\n|---|" + "---|" * len(users))
            for question, path in self.questions().items():
                cells = []
                for visitor, rows in users.values():
                    found = [self.ask(visitor, path(row)) for row in rows]
                    times = [took_ms for took_ms, _ in found]
                    cells.append(f"{statistics.median(times):.0f} / {max(times):.0f}" if any(may for _, may in found) else "-")
                print(f"| {question} | " + " | ".join(cells) + " |", flush=True)


# ---- flooded, killed -----------------------------------------------------------------------


class Flood(PortalBench):
    RATE = 1000
    WRK_CONNECTIONS = 200

    def configure(self, state, port, metrics, paused, archive):
        path = super().configure(state, port, metrics, paused, archive)
        path.write_text(path.read_text().replace("[admin]\n", "[admin]\nportal_socket = portal\n"))
        return path

    def tocsind_command(self, config):
        """With the priority that its unit gives it, where that is allowed."""
        return ["nice", "-n", "-10", *super().tocsind_command(config)]

    def one_load(self, address):
        return self.load(address, 50, "--rate", str(self.RATE), "--seconds", str(self.options.seconds))

    @contextlib.contextmanager
    def quiet(self):
        with self.portal(self.dir / "tocsind"):
            yield "the portal runs, nobody asks it"

    @contextlib.contextmanager
    def flooded(self, path, what, login=None):
        with self.portal(self.dir / "tocsind") as address:
            cookie = Visitor(address, login).cookie if login else ""
            script = self.dir / "wrk.lua"
            # each request by another address, so that not only refusals are made
            script.write_text("local n = math.random(0, 60000)\nrequest = function()\n n = n + 1\n return wrk.format('GET', nil, "
                              "{['Cookie'] = '%s', ['X-Forwarded-For'] = '10.' .. n %% 250 .. '.' .. math.floor(n / 250) %% 250 .. '.1'})\nend\n"
                              % cookie)
            # what asks is on other machines
            process = subprocess.Popen(["nice", "-n", "19", "wrk", "-t1", f"-c{self.WRK_CONNECTIONS}", "-d600s", "-s", str(script),
                                        f"http://{address}/api/v1{path}"], stdout=subprocess.DEVNULL)
            try:
                yield what
            finally:
                stop(process)

    @contextlib.contextmanager
    def killed(self):
        """Again and again, while a live view makes it follow."""
        ended = threading.Event()
        command = self.portal_command(self.dir / "tocsind")

        def go_on():
            while not ended.is_set():
                process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
                visitor = Visitor(self.address_of(process), "op")
                visitor.connection.request("GET", "/api/v1/operations/signals", headers={"Cookie": visitor.cookie})
                visitor.connection.getresponse()
                process.kill()
                process.wait()
                process.stdout.close()
        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield "killed and started again without end"
        finally:
            ended.set()
            thread.join()

    def turns(self):
        return (lambda: self.flooded("/sites", "200 connections ask for the customers", "op"),
                lambda: self.flooded("/operations/links", "200 connections ask for the links", "op"),
                lambda: self.flooded("/sites", "200 connections that nobody signed in"), self.killed)

    def row(self, what, found, before=None, after=None):
        beside = (before["latency_us"]["p99"] + after["latency_us"]["p99"]) / 2 if after else None
        print(f"| {what} | {found['rate']:.0f} | {latencies([found])} | "
              + (f"{found['latency_us']['p99'] / beside:.2f} |" if beside else "|"), flush=True)

    def measure(self):
        print("| | signals/s | p50 / p99 / p99.9 us | p99, of the quiet beside |\n|---|---|---|---|")
        with self.whole() as (address, _, _):
            self.execute("INSERT INTO user_account (login, name, role) VALUES ('op', 'Op', 'operator')")
            self.execute("CREATE ROLE web LOGIN IN ROLE tocsin_portal")
            self.give_passwords("op")

            def run(turn):
                with turn() as what:
                    return what, self.one_load(address)
            for _ in range(self.options.turns):
                what, before = run(self.quiet)
                self.row(what, before)
                for turn in self.turns():
                    name, found = run(turn)
                    _, after = run(self.quiet)
                    self.row(name, found, before, after)
                    self.row(what, after)
                    before = after


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("scale", "flood"))
    parser.add_argument("--build", required=True)
    parser.add_argument("--dir", default="bench-data")
    parser.add_argument("--sites", type=int, default=1000000)
    parser.add_argument("--cluster")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--turns", type=int, default=1)
    options = parser.parse_args()
    bench = {"scale": Scale, "flood": Flood}[options.what](options)
    try:
        describe_machine(bench.dir)
        bench.measure()
    except BenchError as error:
        print(f"portal.py: {error}", file=sys.stderr)
        return 69
    finally:
        shutil.rmtree(bench.dir, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
