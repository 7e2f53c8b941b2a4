"""tocsinctl site create on a terminal: a person's answers through a pty."""
import os
import pty
import re
import select
import signal
import termios
import time

import pytest

from conftest import TOCSINCTL
from test_site_commands import PLACE, counts

WAIT_S = 20


class Wizard:
    """The program on a terminal of its own; .screen is what it has shown."""

    def __init__(self, conninfo, *words):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(LC_ALL="C.UTF-8", TERM="xterm")
            os.execv(TOCSINCTL, [TOCSINCTL, "site", "create", *words, "--database", conninfo])
        self.screen = ""
        self.seen = 0
        self.status = None

    def read(self):
        """What the terminal has, once; False at its end."""
        if not select.select([self.terminal], [], [], 1)[0]:
            return True
        try:
            data = os.read(self.terminal, 65536)
        except OSError:  # the other side is closed
            data = b""
        self.screen += data.decode(errors="replace")
        return bool(data)

    def until(self, text):
        """Wait for it behind what was waited for before."""
        end = time.monotonic() + WAIT_S
        while text not in self.screen[self.seen:]:
            assert self.read() and time.monotonic() < end, f"no {text!r}:\n{self.screen[-2000:]}"
        self.seen = self.screen.index(text, self.seen) + len(text)

    def answer(self, question, text="", end="\n"):
        """Type when the line editor has the terminal: before, a tabulator or
        the end of input would be the kernel's."""
        self.until(question)
        limit = time.monotonic() + WAIT_S
        while termios.tcgetattr(self.terminal)[3] & termios.ICANON:
            assert time.monotonic() < limit, self.screen[-2000:]
            time.sleep(0.002)
        os.write(self.terminal, (text + end).encode())

    def finish(self):
        """Everything to the end; the exit status."""
        end = time.monotonic() + WAIT_S
        while self.read():
            assert time.monotonic() < end, self.screen[-2000:]
        _, status = os.waitpid(self.pid, 0)
        self.pid = None
        self.screen = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", self.screen)
        return os.waitstatus_to_exitcode(status)

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.terminal)


@pytest.fixture
def wizard(db, conninfo):
    db.execute(PLACE)
    started = []

    def start(*words):
        started.append(Wizard(conninfo, *words))
        return started[-1]
    yield start
    for one in started:
        one.close()


ADDRESS = [("Address: ", ""), ("second line: ", ""), ("City: ", ""), ("Region: ", ""), ("Postal code: ", ""),
           ("Country: ", ""), ("Latitude: ", "")]
ZONE_TYPE, CONTACT = "by number (nothing: go on): ", "contact (nothing: go on): "
STORE, BRIDGE = "what to change [yes]: ", "(nothing: later): "


def dialogue(one, *steps):
    """Question and answer; a single text is only waited for."""
    for step in steps:
        if isinstance(step, str):
            one.until(step)
        else:
            one.answer(*step)


def stored(db):
    db.execute("SELECT name, timezone, arming_method, city, effective_account FROM tocsin.site_overview "
               "WHERE dealer_id = 1 ORDER BY id")
    return db.fetchall()


def test_a_customer_is_entered_step_by_step(wizard, db):
    one = wizard()
    dialogue(one, ("Dealer: ", "Nort"), "did you mean North?", ("Dealer: ", "North"), ("Template: ", ""),
             ("Name: ", ""), "Name is needed", ("Name: ", "Café"), *ADDRESS,
             ("Time zone: ", "Europe/Athen"), "did you mean Europe/Athens?", ("Time zone: ", "europe/lisb\t"),
             ("External id: ", ""), ("Monitoring station: ", "?"), "Watch, receiver plain",
             ("Monitoring station: ", "watch p\t"), ("Account number: ", "077"), ("Reference id: ", ""),
             "already taken at receiver plain, by site 1", ("Account number [077]: ", "0a8"),
             ("Arming method [Always armed]: ", "video system"))
    dialogue(one, "✓  1  Entry/Exit", "134   Entry/exit      built-in", "131   Perimeter       dealer",
             (ZONE_TYPE, "3"), ("to inherit: ", "off"), "   3  Instant              130   Burglary        this site",
             (ZONE_TYPE, "Follower"), ("to inherit: ", "13"), "three digits", (ZONE_TYPE, "2"), ("to inherit: ", "137"),
             (ZONE_TYPE, "12"), "12: unknown zone type", (ZONE_TYPE, ""),
             (CONTACT, "Maria"), ("Title: ", "Owner"), ("Phone: ", ""), ("E-mail: ", ""), ("station: ", ""),
             "a contact needs a phone number", (CONTACT, "Maria"), ("Title: ", "Owner"), ("Phone: ", "5555 12"),
             ("E-mail: ", ""), ("station: ", "1"), (CONTACT, ""))
    assert stored(db) == []
    dialogue(one, "This will be stored:", "Zone type             3: not sent", "Zone type             2: code 137",
             "Contact               Maria", (STORE, "cty"), "did you mean city?", (STORE, "city"), ("City: ", "Porto"),
             (STORE, "yes"), "is stored", (BRIDGE, "no such code"), "no bridge has this claim code", (BRIDGE, "add"),
             ("Serial number: ", "B1"), ("signals with: ", ""), "there is another bridge of this serial",
             (BRIDGE, "code 1"), "Bridge 1 is registered")
    assert one.finish() == 0
    assert "! bridge B1 has no account to signal with" in one.screen
    assert stored(db) == [("Café", "Europe/Lisbon", "video_system", "Porto", "10A8")]
    db.execute("SELECT name, title, phone, slot FROM tocsin.contact")
    assert db.fetchall() == [("Maria", "Owner", "5555 12", 1)]
    db.execute("SELECT zone_type, enabled, code FROM tocsin.alarm_library WHERE site_id IS NOT NULL ORDER BY 1")
    assert db.fetchall() == [(2, None, "137"), (3, False, None)]


FLAGS = ["--dealer", "North", "--name", "Shop", "--timezone", "UTC", "--station", "1", "--account", "5",
         "--reference-id", "R5", "--external-id", "X", "--address1", "A", "--address2", "B", "--city", "C", "--region",
         "D", "--postal-code", "E", "--country", "F", "--latitude", "1", "--longitude", "2", "--contact", "M,phone=100"]


def test_what_flags_say_is_not_asked(wizard, db):
    one = wizard(*FLAGS, "--claim-code", "CODE-1")
    dialogue(one, ("Template: ", "Shop"), ("Arming method [Schedule]: ", ""), "137   Tamper          template", (ZONE_TYPE, ""),
             "Claim code            CODE-1", (STORE, ""))
    assert one.finish() == 0
    assert "Name:" not in one.screen and "B1" in one.screen and "! armed by schedule, but there is none" in one.screen
    assert stored(db) == [("Shop", "UTC", "schedule", "C", "15")]


def test_a_number_that_is_gone_meanwhile_is_asked_again(wizard, db):
    one = wizard(*FLAGS, "--arming", "always", "--template", "Shop")
    dialogue(one, (ZONE_TYPE, ""))
    one.until("This will be stored:")
    db.execute("INSERT INTO tocsin.site (dealer_id, name, timezone, station_record_id, account_number) "
               "VALUES (2, 'quicker', 'UTC', 3, '15')")
    dialogue(one, (STORE, "yes"), "is already taken at receiver plain, by site 3 \"quicker\"", ("Account number [5]: ", "6"), (STORE, "yes"), (BRIDGE, ""))
    assert one.finish() == 0
    assert [row[4] for row in stored(db)] == ["16"]


ENDS = [
    ([("Template: ", "none"), ("Name: ", "x"), ("Address: ", "\4", "")], []),
    ([("Template: ", ""), (ZONE_TYPE, ""), (STORE, "no")], FLAGS[2:] + ["--arming", "always"]),
    ([("Template: ", ""), (ZONE_TYPE, "2"), ("to inherit: ", "\4", "")], FLAGS[2:] + ["--arming", "always"]),
    ([("Template: ", ""), (ZONE_TYPE, ""), (CONTACT, "x"), ("Title: ", "\4", "")], FLAGS[2:-2] + ["--arming", "always"]),
    ([("Template: ", ""), (ZONE_TYPE, ""), (STORE, "\4", "")], FLAGS[2:] + ["--arming", "always"]),
]


def test_whoever_leaves_stores_nothing(wizard, db):
    for i, (steps, flags) in enumerate(ENDS):
        one = wizard(*flags, "--dealer", "North")
        if i == 0:
            before = counts(db)
        dialogue(one, *steps)
        assert one.finish() == 1, one.screen
        assert "nothing was stored" in one.screen
        assert counts(db) == before
