"""tocsin-portal over real HTTP and HTTPS, for tests."""
import base64
import hashlib
import hmac
import http.client
import itertools
import json
import ssl
import subprocess
import time

from harness import PROGRAMS, Program, migrated_postgres

PASSWORD = "correct horse battery"
# two dealers; of each every role that a dealer has, and who is above them
PEOPLE = """
INSERT INTO tocsin.dealer (id, name) VALUES (1, 'north'), (2, 'south');
INSERT INTO tocsin.center (id, name) VALUES (1, 'watch');
INSERT INTO tocsin.receiver (id, center_id, name, protocol) VALUES (1, 1, 'rx', 'surgard');
INSERT INTO tocsin.station_record (id, dealer_id, center_id, receiver_id, name) VALUES (1, 1, 1, 1, 'rx'), (2, 2, 1, 1, 'rx');
INSERT INTO tocsin.site (id, dealer_id, name, timezone, station_record_id, account_number) VALUES
  (1, 1, 'north house', 'UTC', 1, '0001'), (2, 2, 'south house', 'UTC', 2, '0002');
INSERT INTO tocsin.bridge (id, serial, site_id, transport_account) VALUES (1, 'N1', 1, 'A1'), (2, 'S2', 2, 'A2');
INSERT INTO tocsin.bridge (id, serial, claim_code_hash) VALUES (3, 'F3', tocsin.claim_code_hash('ABCD-EFGH'));
INSERT INTO tocsin.channel (id, bridge_id, name, zone_type) VALUES (1, 1, 'north door', 1), (2, 2, 'south door', 1);
INSERT INTO tocsin.camera (id, bridge_id, channel_id, name, address) VALUES (1, 1, 1, 'north eye', 'a'), (2, 2, 2, 'south eye', 'b');
INSERT INTO tocsin.contact (id, site_id, name, phone) VALUES (1, 1, 'Nora North', '123'), (2, 2, 'Sam South', '456');
INSERT INTO tocsin.site_partition (id, site_id, number, name) VALUES (1, 1, 1, 'north part'), (2, 2, 1, 'south part');
INSERT INTO tocsin.user_account (id, login, name, role, dealer_id, center_id) VALUES
  (1, 'north-admin', 'A', 'dealer_admin', 1, NULL), (2, 'south-admin', 'south person', 'dealer_admin', 2, NULL),
  (3, 'north-tech', 'T', 'dealer_technician', 1, NULL), (4, 'north-viewer', 'V', 'viewer', 1, NULL),
  (5, 'north-app', 'M', 'app_member', 1, NULL), (6, 'watcher', 'C', 'center', NULL, 1), (7, 'op', 'O', 'operator', NULL, NULL);
INSERT INTO tocsin.app_member (site_id, user_id, user_number) VALUES (1, 5, 1);
INSERT INTO tocsin.partition_channel (site_id, partition_id, bridge_id, channel_id) VALUES (1, 1, 1, 1), (2, 2, 2, 2);
UPDATE tocsin.site SET arming_method = 'schedule' WHERE id = 2;
INSERT INTO tocsin.arming_window (id, site_id, week_minutes) VALUES (2, 2, '[0,480)');
INSERT INTO tocsin.arming_exception (id, site_id, during, armed, note) VALUES (2, 2, '[2026-12-24 12:00,2026-12-27)', true, 'south holiday');
INSERT INTO tocsin.bridge_path (bridge_id, path, interval_s, margin_s) VALUES (2, 'primary', 60, 6);
INSERT INTO tocsin.api_key (id, user_id, name, scopes, key_hash) VALUES (2, 2, 'south key', '{read}', sha256('x'));
INSERT INTO tocsin.event (node, lsn, item, boot, received_at, protocol, encrypted, format, raw, verdict, flags,
  decision_lsn, delivery_count, dealer_id, site_id)
SELECT 'n', s.id, 0, 1, now(), 'dc09', false, 'contact-id', '', 'suppressed', 0, s.id, 0, s.dealer_id, s.id FROM tocsin.site s;
SELECT setval(pg_get_serial_sequence('tocsin.' || t, 'id'), 100) FROM unnest(ARRAY['dealer', 'station_record', 'site',
  'bridge', 'channel', 'camera', 'contact', 'site_partition', 'user_account', 'api_key', 'alarm_library', 'arming_window',
  'arming_exception', 'site_template']) t;
INSERT INTO tocsin.site_template (id, dealer_id, name) VALUES (1, 1, 'north shop'), (2, 2, 'south shop');
INSERT INTO tocsin.site_template_library (template_id, zone_type, code) VALUES (2, 3, '131');
UPDATE tocsin.dealer SET webhooks = 2;
INSERT INTO tocsin.center (id, name, dealer_id) VALUES (20, 'south systems', 2);
INSERT INTO tocsin.receiver (id, center_id, name, protocol, visibility, receiver_number, line_number) VALUES
  (20, 20, 'south hook', 'webhook', 'own', '1', '1');
INSERT INTO tocsin.receiver_endpoint (receiver_id, position, transport, host, port, path) VALUES (20, 1, 'https', 'south.example', 443, '/');
INSERT INTO tocsin.station_record (id, dealer_id, center_id, receiver_id, name) VALUES (22, 2, 20, 20, 'south hook');
INSERT INTO tocsin.webhook (id, dealer_id, station_record_id) VALUES (2, 2, 22);
SELECT setval(pg_get_serial_sequence('tocsin.' || t, 'id'), 100) FROM unnest(ARRAY['center', 'receiver', 'webhook']) t;
CREATE ROLE web LOGIN IN ROLE tocsin_portal;
"""
# a sub-dealer of north and a second center, and the roles that PEOPLE leaves out; what is the sub-dealer's is 33
FAMILY = """
INSERT INTO tocsin.dealer (id, name, parent_id) VALUES (33, 'branch', 1);
INSERT INTO tocsin.center (id, name) VALUES (4, 'elsewhere');
INSERT INTO tocsin.receiver (id, center_id, name, protocol) VALUES (4, 4, 'rx elsewhere', 'surgard');
INSERT INTO tocsin.station_record (id, dealer_id, center_id, receiver_id, name) VALUES (33, 33, 1, 1, 'branch rx');
INSERT INTO tocsin.site (id, dealer_id, name, timezone, station_record_id, account_number, arming_method) VALUES
  (33, 33, 'branch house', 'UTC', 33, '0033', 'schedule');
INSERT INTO tocsin.bridge (id, serial, site_id, transport_account) VALUES (33, 'B33', 33, 'A33');
INSERT INTO tocsin.bridge_path (bridge_id, path, interval_s, margin_s) VALUES (33, 'primary', 60, 6);
INSERT INTO tocsin.channel (id, bridge_id, name, zone_type) VALUES (33, 33, 'branch door', 1);
INSERT INTO tocsin.camera (id, bridge_id, channel_id, name, address) VALUES (33, 33, 33, 'branch eye', 'c');
INSERT INTO tocsin.contact (id, site_id, name, phone) VALUES (33, 33, 'Bo branch', '789');
INSERT INTO tocsin.site_partition (id, site_id, number, name) VALUES (33, 33, 1, 'branch part');
INSERT INTO tocsin.partition_channel (site_id, partition_id, bridge_id, channel_id) VALUES (33, 33, 33, 33);
INSERT INTO tocsin.arming_window (id, site_id, week_minutes) VALUES (33, 33, '[0,480)');
INSERT INTO tocsin.arming_exception (id, site_id, during, armed, note) VALUES
  (33, 33, '[2026-12-24 12:00,2026-12-27)', true, 'branch holiday');
INSERT INTO tocsin.site_template (id, dealer_id, name) VALUES (33, 33, 'branch shop');
INSERT INTO tocsin.center (id, name, dealer_id) VALUES (33, 'branch systems', 33);
INSERT INTO tocsin.receiver (id, center_id, name, protocol, visibility, receiver_number, line_number) VALUES
  (33, 33, 'branch hook', 'webhook', 'own', '1', '1');
INSERT INTO tocsin.receiver_endpoint (receiver_id, position, transport, host, port, path) VALUES (33, 1, 'https', 'branch.example', 443, '/');
INSERT INTO tocsin.station_record (id, dealer_id, center_id, receiver_id, name) VALUES (330, 33, 33, 33, 'branch hook');
INSERT INTO tocsin.webhook (id, dealer_id, station_record_id) VALUES (33, 33, 330);
INSERT INTO tocsin.user_account (id, login, name, role, dealer_id, center_id) VALUES
  (33, 'branch-admin', 'branch person', 'dealer_admin', 33, NULL), (34, 'branch-tech', 'T', 'dealer_technician', 33, NULL),
  (35, 'branch-viewer', 'V', 'viewer', 33, NULL), (36, 'branch-app', 'M', 'app_member', 33, NULL),
  (42, 'south-tech', 'T', 'dealer_technician', 2, NULL), (43, 'south-viewer', 'V', 'viewer', 2, NULL),
  (44, 'south-app', 'M', 'app_member', 2, NULL), (45, 'stranger', 'C', 'center', NULL, 4);
INSERT INTO tocsin.app_member (site_id, user_id, user_number) VALUES (33, 36, 1), (2, 44, 1);
INSERT INTO tocsin.api_key (id, user_id, name, scopes, key_hash) VALUES (33, 33, 'branch key', '{read}', sha256('y'));
INSERT INTO tocsin.event (node, lsn, item, boot, received_at, protocol, encrypted, format, raw, verdict, flags,
  decision_lsn, delivery_count, dealer_id, site_id)
VALUES ('n', 33, 0, 1, now(), 'dc09', false, 'contact-id', '', 'suppressed', 0, 33, 0, 33, 33);
"""
LOGINS = ["north-admin", "north-tech", "north-viewer", "north-app", "watcher", "op", "south-admin"]


def one_time_code(secret, ahead=0):
    """What an authenticator app shows for a secret in base 32, so many steps from now."""
    digest = hmac.digest(base64.b32decode(secret), (int(time.time()) // 30 + ahead).to_bytes(8, "big"), hashlib.sha1)
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at:at + 4], 'big') & 0x7fffffff) % 1000000:06}"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


class Portal:
    """A database with PEOPLE and a portal over it; plain HTTP, or with a certificate. web: the pages, else some of its own."""

    def __init__(self, directory, web=None, installation=None, **settings):
        """installation: its database, and its tocsind with [admin] portal_socket = portal."""
        self.directory = directory
        self.web = web or self.make_pages()
        self.installation = installation
        self.postgres = installation.postgres if installation else migrated_postgres()
        word = directory / "password"
        word.write_text(PASSWORD + "\n")
        self.add_people(PEOPLE)
        (directory / "master.key").write_text("5a" * 32 + "\n")
        self.conninfo = self.postgres.conninfo.replace("user=tocsin", "user=web")
        self.program, self.port = self.start(**settings)

    def add_people(self, sql):
        """Each user who has none yet gets PASSWORD."""
        self.postgres.query(sql)
        subprocess.run([PROGRAMS / "tocsinctl", "user", "password", "--login", LOGINS[0], "--password",
                        self.directory / "password", "--database", self.postgres.conninfo], check=True, capture_output=True)
        self.postgres.query("UPDATE tocsin.user_account u SET (password_salt, password_operations, password_memory_bytes, "
                            "password_hash) = (SELECT password_salt, password_operations, password_memory_bytes, password_hash "
                            "FROM tocsin.user_account WHERE login = %s) WHERE NOT u.has_password", LOGINS[0])

    def make_pages(self):
        web = self.directory / "web"
        web.mkdir()
        (web / "index.html").write_text("<!doctype html><title>portal</title>")
        (web / ".secret.html").write_text("hidden")
        (self.directory / "outside.html").write_text("outside")
        (web / "link.html").symlink_to(self.directory / "outside.html")
        return web

    def write_config(self, name, conninfo=None, **settings):
        """settings: of [portal], beside listen and web."""
        keys = {"listen": "127.0.0.1:0", "web": self.web, "master_key_file": self.directory / "master.key", **settings}
        file = self.directory / name
        file.write_text("[portal]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
                        + f"[database]\nconninfo = {conninfo or self.conninfo}\n"
                        + (f"[tocsind]\nsocket = {self.installation.run_directory / 'portal'}\n" if self.installation else ""))
        return file

    def start(self, log="portal.log", **settings):
        program = Program("tocsin-portal", "-c", self.write_config(f"{log}.ini", **settings), log=self.directory / log)
        return program, int(program.wait_for_line("listening ").rsplit(":", 1)[1])

    def close(self):
        self.program.kill()
        if not self.installation:
            self.postgres.stop()

    def request(self, method, path, body=None, headers=None, tls=False, source="127.0.0.1"):
        if tls:
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=60, context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60, source_address=(source, 0))
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            headers.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        connection.request(method, path, body, headers)
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    def sign_in(self, login, password=PASSWORD, **headers):
        return self.request("POST", "/api/v1/session", {"login": login, "password": password}, headers)


class Visitor:
    """Somebody who has signed in, from an address of one's own: what one may ask in a second is bounded by address."""

    addresses = itertools.count(1)

    def __init__(self, portal, login):
        self.portal = portal
        self.source = f"127.0.1.{next(self.addresses) % 250 + 1}"
        answer = portal.sign_in(login)
        assert answer.status == 200, answer.text
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        self.csrf = answer.json["csrf_token"]

    def request(self, method, path, body=None, **headers):
        sent = {"Cookie": self.cookie, "X-CSRF-Token": self.csrf, "Origin": self.portal.origin}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.portal.request(method, "/api/v1" + path, body,
                                   {name: value for name, value in sent.items() if value is not None},
                                   source=self.source)

    def peek(self, path):
        """The status of an answer that may go on: nothing of it is read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.portal.port, timeout=60)
        connection.request("GET", "/api/v1" + path, headers={"Cookie": self.cookie})
        status = connection.getresponse().status
        connection.close()
        return status


# ---- operations, from the OpenAPI document ------------------------------------------------


def all_operations(portal):
    document = portal.request("GET", "/api/v1/openapi.json").json
    assert document["openapi"] == "3.1.0"
    return [(method.upper(), path[len("/api/v1"):], operation)
            for path, methods in document["paths"].items() for method, operation in methods.items()]


SAMPLES = {"string": "x", "number": 1.5, "boolean": True, "array": []}
WORDS = {"kind": "zone_type", "subject": "3"}
# whose rows have which number, with few exceptions
NORTH, SOUTH, BRANCH = "1", "2", "33"


def filled(path, number=SOUTH):
    """The path for a dealer's rows."""
    words = {"event": f"n-{number}", **WORDS}
    parts = [words.get(part.strip("{}"), number) if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


def schema_of(operation):
    return operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})


def body_of(operation, number=SOUTH):
    """All that may be sent, each of its type; what is a number, a dealer's."""
    if "requestBody" not in operation:
        return None
    samples = {"integer": int(number), **SAMPLES}
    kinds = {name: kind["type"] if isinstance(kind["type"], str) else kind["type"][0]
             for name, kind in schema_of(operation)["properties"].items()}
    return {name: samples[kind] for name, kind in kinds.items()}
