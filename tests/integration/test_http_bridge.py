"""Bridges over HTTP through the real daemon: over TLS and in clear, by bearer key
and signature, against the API's own description, and across a kill."""
import hashlib
import hmac
import http.client
import json
import re
import signal
import ssl
import subprocess
import threading
import time

import proof
import pytest

import harness

SITES = 4
FIRST = 0x100000  # the demo's first bridge
KEY = "sixteen byte key"
REQUESTS = 24  # under way when the daemon is killed


class Bridge:
    """A connection, and how it proves who it is."""

    def __init__(self, place, identity, bearer=None, port=None):
        self.bridge = identity
        self.bearer = bearer
        if port:
            self.connection = http.client.HTTPConnection(
                "127.0.0.1", port, timeout=60)
            return
        trust = ssl.create_default_context(cafile=str(place.certificate))
        trust.check_hostname = False
        self.connection = http.client.HTTPSConnection(
            "127.0.0.1", place.https_port, timeout=60, context=trust)

    def sign(self, target, body, key):
        now = str(int(time.time()))
        text = "\n".join((now, "POST", target, key or "", body))
        digest = hmac.new(KEY.encode(), text.encode(), hashlib.sha256)
        return f"bridge={self.bridge},t={now},v1={digest.hexdigest()}"

    def post(self, target, body="", key=None, **headers):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        if self.bearer:
            headers["Authorization"] = f"Bearer {self.bearer}"
        else:
            headers["X-Tocsin-Signature"] = self.sign(target, body, key)
        return self.request("POST", target, body, headers)

    def request(self, method, target, body=None, headers=None):
        self.connection.request(method, target, body, headers or {})
        response = self.connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None


@pytest.fixture(scope="module")
def place():
    directory = harness.make_directory()
    place = harness.Installation(directory)
    try:
        furnish(place)
        yield place
    finally:
        place.close()
        harness.remove_directory(directory)


def furnish(place):
    place.certificate = place.directory / "receiver.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=receiver",
         "-days", "2", "-keyout", place.directory / "key.pem",
         "-out", place.certificate], check=True, capture_output=True)
    with place.certificate.open("a") as both:
        both.write((place.directory / "key.pem").read_text())
    master = place.directory / "master"
    master.write_bytes(bytes(range(32)))
    place.http_port, place.https_port = (harness.free_port() for _ in "12")
    common = {"protocol": "http", "address": "127.0.0.1"}
    place.extra["directory"] = {"master_key_file": master}
    place.extra["listener http"] = {**common, "port": place.http_port}
    place.extra["listener https"] = {
        **common, "port": place.https_port, "transport": "tls",
        "certificate": place.certificate, "cipher_required": "yes"}
    place.stations = proof.demo_stations(place, SITES)
    place.bridges = [
        place.postgres.query("SELECT id FROM tocsin.bridge "
                             "WHERE transport_account = %s",
                             f"{FIRST + i:06X}")[0][0]
        for i in range(SITES)]
    place.bearer = json.loads(place.ctl(
        "bridge", "bearer-key", "--id", place.bridges[0], "--json")
    )["bearer_key"]
    place.ctl("bridge", "set", "--id", place.bridges[1], "--key",
              f"text:{KEY}", "--master-key-file", master)
    start(place, 1)


def start(place, nth):
    place.start_daemon()
    harness.wait_until(lambda: place.daemon.text().count("event=ready") == nth,
                       "every listener is open")


def history(place, columns, bridge):
    harness.wait_until(place.drained, "everything is archived")
    return place.postgres.query(
        f"SELECT {columns} FROM tocsin.event_history "
        "WHERE protocol = 'http' AND bridge_id = %s ORDER BY lsn, item",
        bridge)


def test_the_api_is_as_its_document_says(place):
    """Each kind of event by its description: whole, without each field that is
    needed, with wrong values and with a field too many."""
    bridge = Bridge(place, place.bridges[0], place.bearer)
    status, document = bridge.request("GET", "/v1/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    schemas = document["components"]["schemas"]
    answers = document["paths"]["/v1/events"]["post"]["responses"]
    kinds = [schemas[kind["$ref"].rsplit("/", 1)[1]]
             for kind in schemas["Event"]["oneOf"]]
    assert len(kinds) == 4

    def sample(name, field):
        if "enum" in field:
            return field["enum"][0]
        if field.get("format") == "date-time":
            return "2026-01-15T10:30:00Z"
        if "pattern" not in field:
            return "Zufahrt Süd"
        kind, count = re.fullmatch(r"\^\[(.).*\]\{(\d)(?:,\d)?\}\$",
                                   field["pattern"]).groups()
        assert re.fullmatch(field["pattern"], kind * int(count)), name
        return kind * int(count)

    def ask(event, expected):
        status, answer = bridge.post("/v1/events", event)
        assert status == expected, (event, answer)
        assert answers[str(status)]["content"]
        return answer

    for kind in kinds:
        whole = {name: sample(name, field)
                 for name, field in kind["properties"].items()}
        assert ask(whole, 200) == {"results": [{"status": "accepted"}]}
        for name in kind["required"]:
            left = {k: v for k, v in whole.items() if k != name}
            assert ask(left, 422)["results"][0]["status"] == "refused"
        for name, field in kind["properties"].items():
            if "enum" in field or "pattern" in field:
                wrong = ask({**whole, name: "!"}, 400 if "format" in field
                            else 422)
                assert name in json.dumps(wrong)
        assert "xyz" in ask({**whole, "xyz": "1"}, 422)["results"][0]["reason"]
    ask([], 400)
    for path, methods in document["paths"].items():
        for method in methods:
            other = "GET" if method == "post" else "POST"
            assert bridge.request(other, path)[0] == 405


def test_events_reach_the_station(place):
    """By a zone, whose code the alarm library has; by Contact ID; by SIA; and what
    is refused beside them. Over TLS with a bearer key, signed in clear."""
    zone, code = place.postgres.query(
        "SELECT z.zone_number, e.code FROM tocsin.channel_zone z "
        "JOIN tocsin.effective_alarm_code e ON e.channel_id = z.channel_id "
        "WHERE z.bridge_id = %s AND e.enabled AND e.code <> '140' ORDER BY z.zone_number "
        "LIMIT 1", place.bridges[1])[0]
    signed = Bridge(place, place.bridges[1], port=place.http_port)
    status, answer = signed.post("/v1/events", {"events": [
        {"zone": zone, "state": "alarm", "text": "Hof"},
        {"zone": zone, "state": "on fire"},
        {"qualifier": "E", "code": "602"},
        {"sia": "RP"}]})
    assert status == 207
    assert [r["status"] for r in answer["results"]] == [
        "accepted", "refused", "accepted", "accepted"]
    assert history(place, "code, verdict", place.bridges[1]) == [
        ("140", "delivered"), ("602", "delivered"), ("RP", "delivered")]
    ledger = "".join(station.ledger.read_text() for station in place.stations)
    assert re.search(rf"\b{code}\b", ledger)


def test_who_has_no_key_is_refused(place):
    right, other = place.bridges[0], place.bridges[2]
    event = {"sia": "BA"}
    before = place.live("show", "listeners")
    for bearer in ("x", f"tb-{right}-00", f"tb-{other}-00", "tb-999999-00",
                   place.bearer.replace(f"tb-{right}-", f"tb-{other}-")):
        assert Bridge(place, right, bearer).post("/v1/events", event)[0] == 401
    # signed by who has another bridge's key
    assert Bridge(place, other).post("/v1/events", event)[0] == 401
    assert Bridge(place, place.bridges[1]).post("/v1/heartbeat")[0] == 204
    assert history(place, "lsn", other) == []

    def count(rows):
        return {cause: n for row in rows if row["name"] == "https"
                for cause, n in row["refusals"].items()}

    more = count(place.live("show", "listeners"))
    less = count(before)
    assert {cause: more[cause] - less[cause] for cause in more
            if more[cause] > less[cause]} == {
        "unprocessable": 1, "wrong_key": 1, "no_key": 3, "unknown_account": 1}


def test_a_heartbeat_is_a_sign_of_life(place):
    place.ctl("bridge", "supervise", "--id", place.bridges[0], "--class",
              "SP4")

    def shown():
        rows = place.live("show", "bridges", "account", f"{FIRST:06X}")
        return rows[0] if rows else {}

    harness.wait_until(lambda: shown().get("state") in ("online", "offline"),
                       "it is supervised")
    bridge = Bridge(place, place.bridges[0], place.bearer)
    first = shown().get("last_seen")
    assert bridge.post("/v1/heartbeat") == (204, None)
    now = shown()
    assert now["last_seen"] != first
    assert now["state"] == "online"
    assert "https" in json.dumps(now)


def test_nothing_twice_across_a_kill(place):
    """Many requests, killed while they are under way; then every one again, with
    its own key: each alarm arrives once."""
    bridge = place.bridges[0]
    known = len(history(place, "lsn", bridge))

    def event(i):
        return {"qualifier": "E", "code": "120", "zone": f"{i:03d}"}

    answered = []

    def send(i):
        try:
            status, answer = Bridge(place, bridge, place.bearer).post(
                "/v1/events", event(i), key=f"kill-{i}")
            answered.append((i, status, answer))
        except (OSError, http.client.HTTPException):
            pass  # the daemon was killed before the answer

    threads = [threading.Thread(target=send, args=(i,))
               for i in range(REQUESTS)]
    for thread in threads:
        thread.start()
    harness.wait_until(lambda: answered, "the first answer")
    place.daemon.signal(signal.SIGKILL)
    for thread in threads:
        thread.join()
    place.daemon.wait()
    start(place, 2)
    again = Bridge(place, bridge, place.bearer)
    for i in range(REQUESTS):
        assert again.post("/v1/events", event(i), key=f"kill-{i}") == (
            200, {"results": [{"status": "accepted"}]})
    for _, status, answer in answered:
        assert (status, answer) == (
            200, {"results": [{"status": "accepted"}]})
    told = [zone for zone, in history(place, "zone", bridge)[known:]]
    assert sorted(told) == [f"{i:03d}" for i in range(REQUESTS)]
