"""What the portal shows and does of a running tocsind: live signals, links,
parked deliveries, arming; each for who may, and for nobody else."""
import contextlib
import http.client
import json
import queue
import socket
import threading
import time

import pytest

from harness import WAIT_S, Installation, ledger_lines, make_directory, remove_directory, wait_until
from panel import frame
from portal import BRANCH, FAMILY, LOGINS, NORTH, PASSWORD, SOUTH, Portal, Visitor, all_operations, body_of, filled

# a second center, whose receiver nobody of the first may see
ELSEWHERE = """
INSERT INTO tocsin.center (id, name) VALUES (2, 'south watch');
INSERT INTO tocsin.receiver (id, center_id, name, protocol, visibility) VALUES (2, 2, 'south receiver', 'surgard', 'all');
INSERT INTO tocsin.receiver_endpoint (receiver_id, position, host, port) VALUES (1, 1, '127.0.0.1', {port}), (2, 1, '127.0.0.1', 1);
UPDATE tocsin.station_record SET center_id = 2, receiver_id = 2 WHERE id = 2;
INSERT INTO tocsin.channel_zone (bridge_id, channel_id, zone_number) VALUES (1, 1, '1'), (2, 2, '1');
"""


@pytest.fixture(scope="module")
def place():
    directory = make_directory()
    installation = Installation(directory)
    installation.extra["admin"] = {"portal_socket": "portal"}
    portal = None
    try:
        portal = Portal(directory, installation=installation)
        (directory / "tocsind.key").write_text("a5" * 32)
        installation.extra["directory"] = {"master_key_file": directory / "tocsind.key"}
        portal.add_people(FAMILY)
        installation.rx = installation.station("rx")
        installation.postgres.query(ELSEWHERE.format(port=installation.rx.port))
        installation.start_daemon()
        installation.portal = portal
        operator = Visitor(portal, "op")
        wait_until(lambda: operator.request("GET", "/operations/links").status == 200, "the portal hears tocsind")
        yield installation
        # in order: what leaks is told
        assert portal.program.stop() == 0, portal.program.text()[-4000:]
        assert installation.daemon.stop() == 0, installation.daemon.text()[-4000:]
    finally:
        if portal:
            portal.close()
        installation.close()
        remove_directory(directory)


@pytest.fixture(scope="module")
def visitors(place):
    return {login: Visitor(place.portal, login) for login in [*LOGINS, "branch-admin", "branch-app", "south-app", "stranger"]}


sequence = iter(range(1, 9999))


def alarm(place, account, content="1130 01 001"):
    with socket.create_connection(("127.0.0.1", place.port), 30) as panel:
        panel.sendall(frame(account, content, sequence=next(sequence)))
        assert b"ACK" in panel.recv(1000)


class Stream:
    """A live view that is read as a browser does: whenever something comes."""

    def __init__(self, visitor, path):
        self.connection = http.client.HTTPConnection("127.0.0.1", visitor.portal.port)
        self.connection.request("GET", "/api/v1" + path, headers={"Cookie": visitor.cookie})
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["Content-Type"] == "text/event-stream"
        self.seen = []
        self.messages = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        """Until the stream ends, in whatever way."""
        kind = "message"
        with contextlib.suppress(http.client.HTTPException, OSError, ValueError, AttributeError):
            for raw in self.response:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    kind = line[len("event: "):]
                elif line.startswith("data: "):
                    self.messages.put((kind, json.loads(line[len("data: "):])))
                    kind = "message"

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.connection.close()

    def kind(self, wanted):
        """Waits for a message of this kind."""
        end = time.monotonic() + WAIT_S
        while self.messages.get(timeout=max(0, end - time.monotonic()))[0] != wanted:
            pass

    def until(self, wanted, seconds=WAIT_S):
        """Everything up to the first signal that is wanted, which is given;
        None when the time is over."""
        end = time.monotonic() + seconds
        while True:
            try:
                kind, data = self.messages.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                return None
            assert kind == "message", kind
            self.seen += data["items"]
            for signal in data["items"]:
                if wanted(signal):
                    return signal


def decision_of(account):
    return lambda signal: signal["kind"] == "decision" and signal["account"] == account


def test_each_sees_the_signals_of_his_own_live(place, visitors):
    streams = {"everything": Stream(visitors["op"], "/operations/signals"),
               "of an account": Stream(visitors["op"], "/operations/signals?account=A1"),
               "of a center": Stream(visitors["watcher"], "/operations/signals"),
               "of a site": Stream(visitors["north-app"], "/sites/1/signals"),
               "of the other site": Stream(visitors["south-admin"], "/sites/2/signals")}
    # a view that is open misses nothing, be it the first one
    alarm(place, "A1")
    assert streams["everything"].until(decision_of("A1"))
    alarm(place, "UNKNOWN")
    alarm(place, "A2")
    alarm(place, "A1", "1131 01 001")
    last = streams["everything"].until(lambda s: s.get("code") == "E131")
    assert last["site"] == "north house"
    seen = {signal["account"] for signal in streams["everything"].seen if signal["kind"] == "decision"}
    assert seen >= {"A1", "A2", "UNKNOWN"}
    for name in ("of an account", "of a center", "of a site"):
        assert streams[name].until(lambda s: s.get("code") == "E131")["site_id"] == 1
        assert {s.get("site_id") for s in streams[name].seen} == {1}, name
    assert streams["of the other site"].until(decision_of("A2"))["site_id"] == 2
    assert {s.get("site_id") for s in streams["of the other site"].seen} == {2}
    for stream in streams.values():
        stream.close()


def test_a_view_ends_with_its_session(place):
    visitor = Visitor(place.portal, "north-viewer")
    stream = Stream(visitor, "/sites/1/signals")
    assert visitor.request("DELETE", "/session").status == 204
    alarm(place, "A1")
    stream.kind("end")
    stream.close()


def test_views_of_a_user_are_bounded(place, visitors):
    open_views = [Stream(visitors["north-tech"], "/sites/1/signals") for _ in range(16)]
    refused = visitors["north-tech"].request("GET", "/sites/1/signals")
    assert refused.status == 429 and "close some" in refused.json["detail"]
    for stream in open_views:
        stream.close()
    # who hung up is forgotten
    wait_until(lambda: visitors["north-tech"].peek("/sites/1/signals") == 200, "room again")


def test_a_center_sees_its_own_links(visitors):
    def names(login, what):
        return {one["name"] for one in visitors[login].request("GET", f"/operations/{what}").json["items"]}
    assert names("watcher", "links") == {"rx"}
    assert names("op", "links") == {"rx", "south receiver", "rx elsewhere", "south hook", "branch hook"}
    assert visitors["op"].request("GET", "/operations/status").json["node"] == "test"
    assert visitors["op"].request("GET", "/operations/bridges-offline").json["items"] == []
    samples = wait_until(lambda: visitors["op"].request("GET", "/operations/rates").json["items"], "a sample")
    assert {"signals_per_s", "ack_p99_ms", "delivery_p50_ms"} <= set(samples[0])


def test_a_center_orders_only_what_is_its_own(place, visitors):
    assert visitors["watcher"].request("POST", "/operations/receivers/2/replay").status == 404
    assert visitors["watcher"].request("POST", "/operations/receivers/1/replay").json == {"replayed": 0}
    skip = "/operations/receivers/1/skip"
    assert visitors["watcher"].request("POST", skip, {"reason": "told by phone"}).status == 403
    for reason in (" ", "two\nlines", "x" * 201):
        assert visitors["op"].request("POST", skip, {"reason": reason}).json["field"] == "reason"
    assert visitors["op"].request("POST", skip, {"reason": "told by phone"}).json["parked"] == 0
    assert place.postgres.query("SELECT actor, new->>'command', new->>'reason' FROM tocsin.audit_log "
                                "WHERE table_name = 'daemon_order' AND new->>'command' IN ('replay', 'skip') "
                                "ORDER BY at LIMIT 2") == [("watcher", "replay", None), ("op", "skip", "told by phone")]
    assert "skipped by user 7 op (portal, uid" in place.daemon.text()


def test_a_site_is_armed_by_whom_its_method_says(place, visitors):
    admin, member = visitors["north-admin"], visitors["north-app"]
    refused = admin.request("POST", "/sites/1/arm")
    assert refused.status == 422 and "Always armed" in refused.json["detail"], refused.text
    assert admin.request("PUT", "/sites/1/arming", {"arming_method": "video_system"}).status == 204
    wait_until(lambda: admin.request("GET", "/sites/1/armed").json["items"][0]["method"] == "video_system", "the method")
    assert visitors["north-viewer"].request("POST", "/sites/1/disarm").status == 403
    assert visitors["south-admin"].request("POST", "/sites/1/disarm").status == 404
    assert visitors["watcher"].request("POST", "/sites/1/disarm").status == 403
    assert admin.request("POST", "/sites/1/disarm", {"partition": 7}).json["field"] == "partition"
    stream = Stream(admin, "/sites/1/signals")
    disarmed = member.request("POST", "/sites/1/disarm")
    assert disarmed.status == 200, disarmed.text
    event = disarmed.json["event"]
    assert stream.until(lambda s: s["event"] == event and s["kind"] == "decision")["code"] == "E407"
    stream.close()
    state = wait_until(lambda: [area for area in visitors["watcher"].request("GET", "/sites/1/armed").json["items"]
                                if not area["armed"]], "disarmed")
    assert state[0]["known"] and state[0]["since"]
    assert place.postgres.query("SELECT chain, actor, new->>'command' FROM tocsin.audit_log "
                                "WHERE table_name = 'daemon_order' AND row_key IN (SELECT id::text FROM tocsin.daemon_order "
                                "WHERE site_id = 1)") == [(1, "north-app", "disarm")]
    assert admin.request("POST", "/sites/1/arm").status == 200
    place.postgres.query("UPDATE tocsin.app_member SET may_arm = false")
    assert member.request("POST", "/sites/1/disarm").status == 403


def test_a_test_alarm_goes_to_the_station(place, visitors):
    stream = Stream(visitors["north-admin"], "/sites/1/signals")
    sent = visitors["north-tech"].request("POST", "/sites/1/test-signal")
    assert sent.status == 200, sent.text
    signal = stream.until(lambda s: s["event"] == sent.json["event"] and s["kind"] == "decision")
    assert (signal["code"], signal["deliveries"][0]["account"]) == ("E601", "0001") and "north-tech" in signal["text"]
    [answer] = place.live("send", "test", 1)
    assert stream.until(lambda s: s["event"] == answer["event"])["code"] == "E601"
    stream.close()
    assert "there is no site 9" in place.ctl("send", "test", 9, check=False, database=False).stderr
    assert visitors["south-admin"].request("POST", "/sites/1/test-signal").status == 404
    assert [visitors[login].request("POST", "/sites/1/test-signal").status for login in ("north-viewer", "north-app", "watcher")] == [403] * 3
    assert place.postgres.query("SELECT actor, new->>'site_id' FROM tocsin.audit_log WHERE table_name = 'daemon_order' "
                                "AND new->>'command' = 'test'") == [("north-tech", "1")]


def test_a_webhook_gets_the_signals_of_its_dealers_customers(place, visitors):
    admin, passkey = visitors["north-admin"], "typed-by-somebody-of-north"
    hook = place.station("hook", "--passkey", passkey, protocol="webhook")
    made = admin.request("POST", "/webhooks", {"dealer_id": 1, "name": "hook", "url": "https://hook.example:8443/a?b=c",
                                               "classes": ["burglary"]})
    assert made.status == 201, made.text
    path = f"/webhooks/{made.json['id']}"
    # by a certificate that everybody believes in, which a test has not
    place.postgres.query("UPDATE tocsin.receiver_endpoint SET transport = 'http', host = '127.0.0.1', port = %s "
                         "WHERE host = 'hook.example'", hook.port)
    assert admin.request("POST", path + "/passkey", {"passkey": "too short"}).json["field"] == "passkey"
    assert admin.request("POST", path + "/passkey", {"passkey": passkey}).json == {"passkey": passkey}
    # its heartbeats are signed with what the portal could not open
    wait_until(lambda: any(link["protocol"] == "webhook" and link["up"] for link in place.live("show", "links")), "the hook is reached")
    alarm(place, "A1", "1301 00 000")
    alarm(place, "A2")
    alarm(place, "A1", "1133 01 009")  # of no zone that another test tripped
    wait_until(lambda: ledger_lines(hook.ledger), "the hook has the alarm")
    # the account is the site's number: its account number is one at its station
    assert [line.split()[:5] for line in ledger_lines(hook.ledger)] == [["1", "E", "133", "01", "009"]]
    [shown] = admin.request("GET", "/webhooks?dealer_id=1").json["items"]
    assert (shown["classes"], shown["enabled"], shown["has_passkey"]) == (["burglary"], True, True)
    assert admin.request("PUT", path, {"name": "hook", "url": "https://hook.example/", "enabled": False}).status == 204
    assert place.postgres.query("SELECT 1 FROM tocsin.directory_destinations d JOIN tocsin.site s USING (id) WHERE s.dealer_id = 1") == []
    assert admin.request("DELETE", path).status == 204
    assert place.postgres.query("SELECT 1 FROM tocsin.audit_log WHERE concat(old, new) LIKE %s", f"%{passkey}%") == []
    assert passkey not in place.daemon.text() + place.portal.program.text()


# ---- every operation ---------------------------------------------------------------------------


def live(portal):
    return [one for one in all_operations(portal) if one[2]["tags"] == ["Live"]]


@pytest.mark.parametrize("login,whose", [
    *[(login, SOUTH) for login in ("north-admin", "north-tech", "north-viewer", "north-app", "branch-admin", "branch-app")],
    ("north-app", BRANCH), ("branch-admin", NORTH), ("branch-app", NORTH), ("south-admin", NORTH), ("south-admin", BRANCH),
    ("south-app", BRANCH)])
def test_no_live_operation_reaches_another_dealer(place, visitors, login, whose):
    for method, path, operation in live(place.portal):
        answer = visitors[login].request(method, filled(path, whose), body_of(operation, whose))
        assert answer.status in (403, 404), (method, path, answer.status, answer.text)
        assert not {"south", "north", "branch"} & set(answer.text.split()), answer.text


def test_a_center_gets_nothing_of_whom_it_does_not_monitor(place, visitors):
    for method, path, operation in live(place.portal):
        for whose in (NORTH, SOUTH, BRANCH) if "{" in path else ():
            answer = visitors["stranger"].request(method, filled(path, whose), body_of(operation, whose))
            assert answer.status in (403, 404), (method, path, answer.status, answer.text)
    for what in ("links", "parked", "bridges-offline"):
        items = visitors["stranger"].request("GET", f"/operations/{what}").json["items"]
        assert {one.get("name") for one in items} <= {"rx elsewhere"}, items


def test_who_only_looks_orders_nothing(place, visitors):
    for method, path, operation in live(place.portal):
        if method != "GET":
            answer = visitors["north-viewer"].request(method, filled(path, "1"), body_of(operation))
            assert answer.status == 403, (path, answer.text)


def test_nothing_live_without_a_session(place):
    for method, path, operation in live(place.portal):
        answer = place.portal.request(method, "/api/v1" + filled(path, "1"), body_of(operation))
        assert answer.status == 401, (path, answer.text)


@pytest.mark.parametrize("attack", ["1'; DROP TABLE tocsin.site; --", "1 OR 1=1", "\"1\" user 9", "1%0aarm", "$1"])
def test_no_text_becomes_a_command(place, visitors, attack):
    text = attack.replace(" ", "%20").replace("\"", "%22").replace("'", "%27")
    for method, path, operation in live(place.portal):
        if "{" in path:
            parts = [text if part.startswith("{") else part for part in path.split("/")]
            answer = visitors["op"].request(method, "/".join(parts), body_of(operation))
            assert answer.status in (400, 404, 422), (path, answer.status, answer.text)


def test_a_key_orders_only_what_its_scopes_say(place, visitors):
    made = visitors["op"].request("POST", "/keys", {"user_id": 7, "name": "look", "scopes": ["read"]})
    key = {"Authorization": "Bearer " + made.json["token"]}
    assert place.portal.request("GET", "/api/v1/operations/links", headers=key).status == 200
    for path in ("receivers/1/replay", "receivers/1/skip"):
        answer = place.portal.request("POST", f"/api/v1/operations/{path}", {"reason": "x"} if "skip" in path else None, key)
        assert answer.status == 403, answer.text
    assert place.portal.request("POST", "/api/v1/sites/1/disarm", headers=key).status == 403


def test_a_portal_without_tocsind_says_so(place, visitors):
    place.portal.installation, kept = None, place.portal.installation
    port = place.portal.port
    program = None
    try:
        program, place.portal.port = place.portal.start(log="portal-alone.log")
        for path in ("/operations/links", "/operations/signals", "/sites/1/armed"):
            answer = visitors["op"].request("GET", path)
            assert answer.status == 503 and "not connected to tocsind" in answer.json["detail"], answer.text
        assert program.stop() == 0
    finally:
        if program:
            program.kill()
        place.portal.installation, place.portal.port = kept, port


def test_the_portal_comes_back_to_a_tocsind_that_does(place, visitors):
    stream = Stream(visitors["op"], "/operations/signals")
    assert place.daemon.stop() == 0
    refused = wait_until(lambda: (answer := visitors["op"].request("GET", "/operations/links")).status == 503 and answer,
                         "tocsind is missed")
    assert "tocsind" in refused.json["detail"]
    place.start_daemon()
    wait_until(lambda: visitors["op"].request("GET", "/operations/links").status == 200, "tocsind is heard again")
    stream.kind("lost")
    stream.close()
    assert PASSWORD not in place.portal.program.text()
