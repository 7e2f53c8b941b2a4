"""tocsin-portal over real HTTP and HTTPS, for tests."""
import base64
import hashlib
import hmac
import http.client
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
CREATE ROLE web LOGIN IN ROLE tocsin_portal;
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
        self.postgres.query(PEOPLE)
        word = directory / "password"
        word.write_text(PASSWORD + "\n")
        for login in LOGINS:
            subprocess.run([PROGRAMS / "tocsinctl", "user", "password", "--login", login, "--password", word,
                            "--database", self.postgres.conninfo], check=True, capture_output=True)
        (directory / "master.key").write_text("5a" * 32 + "\n")
        self.conninfo = self.postgres.conninfo.replace("user=tocsin", "user=web")
        self.program, self.port = self.start(**settings)

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

    def request(self, method, path, body=None, headers=None, tls=False):
        if tls:
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=60, context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
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
    """Somebody who has signed in."""

    def __init__(self, portal, login):
        self.portal = portal
        answer = portal.sign_in(login)
        assert answer.status == 200, answer.text
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        self.csrf = answer.json["csrf_token"]

    def request(self, method, path, body=None, **headers):
        sent = {"Cookie": self.cookie, "X-CSRF-Token": self.csrf, "Origin": self.portal.origin}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.portal.request(method, "/api/v1" + path, body,
                                   {name: value for name, value in sent.items() if value is not None})

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


SAMPLES = {"string": "x", "integer": 2, "number": 1.5, "boolean": True, "array": []}
WORDS = {"kind": "zone_type", "subject": "3", "event": "n-2"}


def filled(path, number="2"):
    """The path for the south dealer's rows, whose numbers are all 2."""
    parts = [WORDS.get(part.strip("{}"), number) if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


def body_of(operation):
    if "requestBody" not in operation:
        return None
    properties = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    kinds = {name: kind["type"] if isinstance(kind["type"], str) else kind["type"][0]
             for name, kind in properties.items()}
    return {name: SAMPLES[kind] for name, kind in kinds.items()}
