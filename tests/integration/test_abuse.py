"""What strangers and broken panels do to the real daemon, and that it harms
nobody: every honest signal is acknowledged and delivered, and what an operator
must know of is told once."""
import panel
import proof

import harness

SITES = 12
KEY = bytes(range(16))
OTHER_KEY = bytes(range(1, 17))
MANY = 300
NODE_EVENTS = ("SELECT qualifier || code, text FROM tocsin.event "
               "WHERE protocol = 'internal' ORDER BY lsn")


def account(site):
    return f"{0x100000 + site:06X}"


def listener(place, name="tcp"):
    return next(x for x in place.live("show", "listeners")
                if x["name"] == name)


def demo_with_keys(place):
    """Stations and sites whose first bridge must encrypt."""
    master = place.directory / "master.key"
    master.write_text("a5" * 32)
    place.extra["directory"] = {"master_key_file": master}
    stations = proof.demo_stations(place, SITES, "--encrypted", 2, "--key",
                                   f"hex:{KEY.hex()}", "--master-key-file",
                                   master)
    first = place.postgres.query(
        "SELECT id FROM tocsin.bridge WHERE transport_account = %s",
        account(0))[0][0]
    place.ctl("bridge", "set", "--id", first, "--cipher-required", "yes")
    return stations


def test_refusals_are_told_once(installation):
    place = installation
    demo_with_keys(place)
    place.start_daemon()
    event = "1130 01 002"
    refused = {
        "clear_text": (panel.frame(account(0), event), "DUH"),
        "wrong_key": (panel.frame(account(0), event, key=OTHER_KEY), "DUH"),
        "no_key": (panel.frame(account(5), event, key=KEY), "DUH"),
        "time_window": (panel.frame(account(1), event, key=KEY,
                                    stamp=panel.timestamp(-3600)), "NAK"),
    }
    good = panel.frame(account(0), event, key=KEY)
    bad_crc = b"\n0000" + good[5:]
    with panel.Panel(place.port) as p:
        assert p.ask(panel.frame(account(5), "", identifier="NULL")) == "ACK"
        for _ in range(MANY):
            p.send(bad_crc)
            for data, reply in refused.values():
                assert p.ask(data) == reply
        assert p.ask(good) == "*ACK"
    counted = listener(place)["refusals"]
    assert counted["bad_crc"] == MANY
    assert {cause: counted[cause] for cause in refused} == \
        dict.fromkeys(refused, MANY)
    harness.wait_until(
        lambda: len(place.postgres.query(NODE_EVENTS)) == len(refused),
        "each cause was told once")
    harness.wait_until(place.drained, "everything is archived")
    told = place.postgres.query(NODE_EVENTS)
    assert len(told) == len(refused)
    assert {code for code, _ in told} == {"E421"}
    for site, what in ((0, "clear text"), (0, "another key"),
                       (5, "no key is known"), (1, "replayed")):
        assert any(what in text and f"account {account(site)}, from 127." in
                   text for _, text in told), (what, told)
    lines = [x for x in place.daemon.text().splitlines()
             if "scope=ingress event=refused" in x]
    assert {"cause=" + c for c in [*refused, "bad_crc"]} == \
        {x for line in lines for x in line.split() if x[:6] == "cause="}
    assert len(lines) < MANY / 10  # one each ten seconds
    assert place.postgres.query(
        "SELECT sender_account FROM tocsin.event "
        "WHERE protocol <> 'internal'") == [(account(0),)]
    last = place.live("show", "errors")[0]
    assert bytes.fromhex(last["bytes"]) == refused["time_window"][0]
