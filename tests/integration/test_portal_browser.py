"""The portal's pages in a real browser, over a running tocsind: signing in, a
customer from "+" to its overview with a refusal on the way, one by keyboard
alone to its first alarm, the dealer's settings, operations. Screenshots of each
step, of most also dark on a phone, stay in the test's directory."""
import itertools
import socket

import pytest
from selenium import webdriver
from selenium.common.exceptions import ElementNotInteractableException, JavascriptException, StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from harness import SOURCE, Installation, ledger_lines, make_directory, remove_directory, wait_until
from panel import frame
from portal import PASSWORD, Portal, one_time_code

WAIT_S = 60
# or the page was, while it was asked, or is about to be
REPLACED = [StaleElementReferenceException, JavascriptException, ElementNotInteractableException]
visits = itertools.count()  # each a page that is loaded anew
TABS = 10  # at a time: each question to the browser takes longer than a key
TABS_MAX = 120
# a bridge to be registered besides PEOPLE's
SETUP = """
INSERT INTO tocsin.receiver_endpoint (receiver_id, position, host, port) VALUES (1, 1, '127.0.0.1', {port});
INSERT INTO tocsin.bridge (id, serial, transport_account, claim_code_hash)
  VALUES (4, 'F4', 'A4', tocsin.claim_code_hash('WXYZ-2345'));
"""
# each element that gets the focus from now on: itself, and whether it shows that
WATCH = """
if (!window.stops)
    document.addEventListener("focusin", ({target}) => {
        const style = getComputedStyle(target);
        if (target.tabIndex >= 0) // else it was given the focus back
            window.stops.push([target, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2]);
    });
window.stops = [];
"""
STOPS = "return window.stops.map(([it, seen]) => [it.matches(arguments[0]), seen, it.outerHTML.slice(0, 200)])"
ARRIVED = """
const it = document.activeElement, box = it.getBoundingClientRect();
return it.matches(arguments[0]) && box.width > 0 && box.bottom > 0 && box.top < innerHeight;
"""
# how far what one sees moves without having been touched, as browsers measure it
SHIFTS = """window.shifted = 0;
new PerformanceObserver((list) => {
    for (const one of list.getEntries())
        if (!one.hadRecentInput) window.shifted += one.value;
}).observe({type: "layout-shift", buffered: true});
const ask = window.fetch;
window.asking = 0;
window.fetch = (...what) => (window.asking++, ask(...what).finally(() => window.asking--));"""
# it has asked for nothing more for a while
CALM = "window.calm = window.asking ? 0 : (window.calm ?? 0) + 1; return window.calm > 10 ? [window.shifted] : null"
SHIFT_MOST = 0.1  # what counts as good: https://web.dev/articles/cls
# installed by tools/prepare --test where npm's registry can be reached
AXE = SOURCE / "tests/node_modules/axe-core/axe.min.js"


# Waits in the page: to ask the driver again and again takes more of the processor than the page
WHEN = """const given = [...arguments], done = given.pop(), look = () => {
    const found = (function () { %s }).apply(null, given);
    if (found === null) setTimeout(look, 20); else done(found);
}; look();"""
SHOWN = """return [...document.querySelectorAll(arguments[0])].find(
    (one) => one.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) ?? null"""
# innerText: the driver's own way to the text of an element looks at each in it
TEXT = SHOWN.replace(" ?? null", "?.innerText.replace(/\\s+/g, ' ').trim() ?? null")
SAYS = TEXT.replace("return", "const said =") + "; return said?.includes(arguments[1]) ? said : null"
BUTTON = """return [...document.querySelectorAll("button:enabled")].find(
    (one) => one.innerText.trim() === arguments[0] && one.checkVisibility()) ?? null"""
# all that can be pressed
BUTTONS = """return [...document.querySelectorAll("main button:enabled")].filter((one) => one.checkVisibility())
    .map((one) => one.innerText.trim())"""


class Browser:
    def __init__(self, portal, pictures):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en",
                         "--no-first-run", "--disable-background-networking", "--window-size=1100,1000"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options,
                                       service=webdriver.chrome.service.Service("/usr/bin/chromedriver"))
        self.driver.set_script_timeout(WAIT_S)
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SHIFTS})
        self.pictures = pictures
        self.serious = []
        self.login = None
        self.address = f"http://127.0.0.1:{portal.port}/"

    def open(self, place=""):
        self.driver.get(self.address + place)

    def until(self, condition):
        """Its first true value; a page that is replaced meanwhile is looked at again."""
        return WebDriverWait(self.driver, WAIT_S, 0.05, REPLACED).until(lambda _: condition())

    def when(self, script, *values):
        """What it gives as soon as that is something."""
        return self.until(lambda: self.driver.execute_async_script(WHEN % script, *values))

    def find(self, selector):
        """The one that is shown, waited for."""
        return self.when(SHOWN, selector)

    def text(self, selector):
        """What the one that is shown says."""
        return self.when(TEXT, selector)

    def says(self, selector, part):
        """Waited for, as all that is about to be shown."""
        self.when(SAYS, selector, part)

    def press(self, text):
        def pressed():
            self.when(BUTTON, text).click()
            return True
        self.until(pressed)

    def type(self, name, text):
        def typed():
            control = self.find(f"[name={name}]")
            control.clear()
            control.send_keys(text)
            return True
        self.until(typed)

    def keys(self, *keys):
        """To whatever has the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, selector):
        """From where the focus is; each stop shows that it has it."""
        self.find(selector)
        self.driver.execute_script(WATCH)
        for _ in range(TABS_MAX // TABS):
            self.keys(*[Keys.TAB] * TABS)
            stops = self.driver.execute_script(STOPS, selector)
            assert all(seen for _, seen, _ in stops), stops
            passed = next((count for count, (is_it, _, _) in enumerate(reversed(stops)) if is_it), None)
            if passed is not None:
                self.back(passed)
                break
        for _ in range(TABS):  # the browser's own stops are not among them
            if self.driver.execute_script(ARRIVED, selector):
                return
            self.back(1)
        raise AssertionError(selector)

    def back(self, count):
        ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(*[Keys.TAB] * count).key_up(Keys.SHIFT).perform()

    def heading(self, part):
        self.says("h2", part)

    def phone(self, name, axe=True):
        """The page as it is, dark on a phone: nothing sticks out."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": 390, "height": 1600, "deviceScaleFactor": 1, "mobile": True})
        self.driver.save_screenshot(str(self.pictures / f"{name}-phone.png"))
        if axe:
            self.axe(f"{name}-phone")
        wide = self.driver.execute_script(
            "return [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth"
            " && !one.closest('.wide, .unseen')).map((one) => one.outerHTML.slice(0, 120))")
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        assert wide == [], name

    def picture(self, name, phone=False, axe=True):
        """Of the page as it is; in one of the two axe-core looks at it, unless it has seen the page in another picture."""
        self.driver.save_screenshot(str(self.pictures / f"{name}.png"))
        if phone:
            self.phone(name, axe)
        elif axe:
            self.axe(name)

    def axe(self, name):
        """What axe-core has against the page is noted."""
        if not AXE.exists():
            return
        if not self.driver.execute_script("return 'axe' in window"):
            self.driver.execute_script(AXE.read_text() + "; window.axe = axe;")
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run({resultTypes: ['violations'], preload: false, iframes: false})"
            ".then((result) => done(result.violations))")
        self.serious += [f"{name}: {fault['help']}: {fault['nodes'][0]['html']}" for fault in found
                         if fault["impact"] in ("serious", "critical")]

    def faults(self):
        """What the console says, but for refusals, which it counts as failed requests."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and "api/v1" not in entry["message"]]


@pytest.fixture(scope="module")
def portal():
    directory = make_directory()
    place = Installation(directory)
    place.extra["admin"] = {"portal_socket": "portal"}
    (directory / "tocsind.key").write_text("a5" * 32)
    place.extra["directory"] = {"master_key_file": directory / "tocsind.key"}
    portal = None
    try:
        portal = Portal(directory, web=SOURCE / "web", installation=place)
        place.rx = place.station("rx")
        place.postgres.query(SETUP.format(port=place.rx.port))
        place.start_daemon()
        yield portal
        for program in (portal.program, place.daemon):
            text = program.text()
            assert program.stop() == 0, program.text()[-4000:]
            assert "Sanitizer" not in text and "runtime error" not in text, text[-4000:]
    finally:
        if portal:
            portal.close()
        place.close()
        remove_directory(directory)


@pytest.fixture(scope="module")
def browser(portal, tmp_path_factory):
    browser = Browser(portal, tmp_path_factory.mktemp("pictures"))
    yield browser
    browser.picture("last", axe=False)
    browser.driver.quit()


def sign_in(browser, login):
    """Unless that is who is signed in already."""
    known = browser.login == login
    browser.login = login
    if not known:
        browser.driver.delete_all_cookies()
    browser.open(f"?{next(visits)}")
    if known:
        browser.heading("Customers")
        return
    browser.type("login", login)
    browser.type("password", PASSWORD)
    browser.press("Sign in")
    browser.heading("Customers")


def alarm(place, account, sequence, content="1130 01 001", **options):
    with socket.create_connection(("127.0.0.1", place.port), WAIT_S) as panel:
        panel.sendall(frame(account, content, sequence=sequence, **options))
        assert b"ACK" in panel.recv(1000)


def test_a_wrong_password_is_said_where_it_was_typed(browser):
    browser.open()
    browser.type("login", "north-admin")
    browser.type("password", "wrong password")
    browser.press("Sign in")
    browser.says("#message", "do not match")
    assert browser.find("[name=login]").get_attribute("value") == "north-admin"
    browser.picture("1-sign-in-refused")


def test_a_customer_from_plus_to_its_overview(portal, browser):
    name = "<b>Hill & Sons</b>"
    sign_in(browser, "north-admin")
    browser.says("table", "north house")
    assert "south house" not in browser.text("table")
    browser.picture("2-customers", phone=True)
    browser.press("+ New customer")
    browser.heading("Step 1 of 5")
    browser.press("Next")
    assert browser.text("[data-field=name] .refused")
    assert browser.driver.switch_to.active_element.get_attribute("name") == "name"
    browser.type("name", name)
    browser.type("city", "Dale")
    browser.type("timezone", "Europe/Athens")
    # leaving half way
    browser.driver.refresh()
    browser.until(lambda: browser.find("[name=city]").get_attribute("value") == "Dale")
    browser.picture("3-name-and-address", phone=True)
    browser.press("Next")
    browser.heading("Step 2 of 5")
    browser.find("[name=station_record_id]").send_keys("rx")
    browser.type("account_number", "0001")
    browser.says("main", "gets account 0001")
    browser.press("Next")
    browser.heading("Step 3 of 5")
    browser.find("input[value=panel_signals]").click()
    browser.picture("4-arming", phone=True)
    browser.press("Next")
    browser.heading("Step 4 of 5")
    inherited = browser.find("tr.inherited[data-subject='3']")
    assert "built in" in inherited.text
    inherited.find_element(By.CSS_SELECTOR, "input[type=checkbox]").click()
    browser.says("tr[data-subject='3']", "this customer")
    browser.picture("5-alarm-codes", phone=True)
    browser.press("Next")
    browser.heading("Step 5 of 5")
    browser.says("main", "Instant")
    browser.picture("6-review", phone=True)
    browser.press("Create customer")
    # the account is another customer's: said at the field, with what was typed
    browser.heading("Step 2 of 5")
    browser.until(lambda: browser.text("[data-field=account_number] .refused"))
    assert browser.find("[name=account_number]").get_attribute("aria-invalid") == "true"
    browser.picture("7-refused")
    browser.type("account_number", "0077")
    for step in (3, 4, 5):
        browser.press("Next")
        browser.heading(f"Step {step} of 5")
    browser.press("Create customer")
    browser.heading(name)
    browser.says("dl", "0077")
    browser.picture("8-overview")
    browser.phone("8-overview")
    assert portal.postgres.query("SELECT name, city, timezone, account_number, arming_method FROM tocsin.site "
                                 "WHERE account_number = '0077'") == [(name, "Dale", "Europe/Athens", "0077", "panel_signals")]
    assert portal.postgres.query("SELECT zone_type, enabled, code FROM tocsin.alarm_library") == [(3, False, None)]
    browser.type("claim_code", "abcd efgh")
    browser.press("Register bridge")
    browser.says("main", "F3")
    browser.type("zones", "001, 002")
    browser.find("#add-channel [name=name]").send_keys("<u>Yard</u> gate")
    browser.press("Add input")
    browser.says("main", "<u>Yard</u> gate")
    browser.find("#add-contact [name=name]").send_keys("<i>Ann</i>", Keys.TAB * 2, "555 0100", Keys.ENTER)
    browser.says("main", "<i>Ann</i>")
    browser.press("Start test")
    browser.until(lambda: browser.text(".badge") == "on test")
    browser.picture("9-on-test", axe=False)
    assert browser.faults() == []


def test_by_keyboard_alone_to_the_first_alarm(portal, browser):
    """Who has never seen it: what comes next is a Tab away."""
    place, newest = portal.installation, "tocsin-history tbody tr:first-child"

    def step(number):
        browser.heading(f"Step {number} of 5")

    def newest_is(code):
        row = browser.text(newest)
        return code in row and "delivered" in row
    browser.driver.delete_all_cookies()
    browser.open("?keyboard")
    browser.tab_to("[name=login]")
    browser.keys("north-admin", Keys.TAB, PASSWORD, Keys.ENTER)
    browser.login = "north-admin"
    browser.heading("Customers")
    assert browser.text("nav [aria-current=page]") == "Customers"
    browser.tab_to("#add-customer")
    browser.keys(Keys.ENTER)
    step(1)
    browser.tab_to("[name=name]")
    browser.keys("Keyboard house")
    browser.tab_to("#next")
    browser.keys(Keys.SPACE)
    step(2)
    browser.tab_to("[name=station_record_id]")
    browser.keys(Keys.DOWN)
    browser.tab_to("[name=account_number]")
    browser.keys("4242")
    browser.says("main", "gets account 4242")
    browser.keys(Keys.ENTER)
    step(3)
    browser.tab_to("[name=arming_method]")
    browser.keys(Keys.UP)
    assert not browser.find("[value=always]").is_selected()
    browser.keys(Keys.DOWN)
    assert browser.find("[value=always]").is_selected()
    browser.tab_to("#next")
    browser.keys(Keys.ENTER)
    step(4)
    browser.tab_to("tr[data-subject='9'] [type=checkbox]")
    browser.keys(Keys.SPACE)
    browser.says("tr[data-subject='9']", "this customer")
    browser.tab_to("#next")
    browser.keys(Keys.ENTER)
    step(5)
    browser.tab_to("#create")
    browser.keys(Keys.ENTER)
    browser.heading("Keyboard house")
    assert browser.text("nav [aria-current=true]") == "Customers"
    [(site,)] = portal.postgres.query("SELECT id FROM tocsin.site WHERE account_number = '4242'")
    wait_until(lambda: place.ctl("show", "arming", site, check=False, database=False).returncode == 0, "tocsind knows the customer")
    browser.until(lambda: browser.text("tocsin-history .badge") == "Live")
    browser.tab_to("#send-test")
    browser.keys(Keys.ENTER)
    browser.until(lambda: newest_is("E601"))
    browser.picture("20-test-alarm", axe=False)
    browser.driver.execute_script("document.querySelector('h2').focus()")
    browser.tab_to("[name=claim_code]")
    browser.keys("wxyz 2345", Keys.ENTER)
    browser.says("main table", "F4")
    wait_until(lambda: any(one["site"] == site for one in place.live("show", "bridges", "account", "A4")), "tocsind knows the bridge")
    browser.until(lambda: browser.text("tocsin-history .badge") == "Live")
    alarm(place, "A4", 1)
    browser.until(lambda: newest_is("E130"))
    assert [line[:16] for line in ledger_lines(place.rx.ledger) if line.startswith("4242")] == ["4242 E 601 00 00", "4242 E 130 01 00"]
    wait_until(lambda: portal.postgres.query("SELECT 1 FROM tocsin.event_history WHERE site_id = %s AND code = '130'", site),
               "the history has it")
    browser.tab_to(newest + " summary")
    browser.keys(Keys.ENTER)
    browser.says(newest, "To rx, account 4242: delivered")
    browser.picture("21-first-alarm", phone=True, axe=False)
    assert browser.faults() == []


def webhook(portal, browser):
    """One is added; its passkey is shown and, sealed, what tocsind opens."""
    browser.press("Add webhook")
    browser.find("#webhook [name=name]").send_keys("billing")
    browser.find("#webhook [name=url]").send_keys("http://hooks.example/tocsin")
    browser.find("#webhook [value=burglary]").click()
    browser.press("Save")
    browser.says("[data-field=url] .refused", "https://")
    browser.picture("24-webhook", phone=True)
    browser.type("url", "https://hooks.example/tocsin")
    browser.press("Save")
    passkey = browser.find("#new-passkey").get_attribute("value")
    browser.says("tocsin-webhooks table", "billing")
    assert len(passkey) == 64 and passkey not in portal.program.text() + portal.installation.daemon.text()
    [(receiver,)] = portal.postgres.query("SELECT receiver_id FROM tocsin.webhook_in_force JOIN tocsin.station_record s "
                                          "ON s.id = station_record_id WHERE s.dealer_id = 1")
    wait_until(lambda: any(link["receiver_id"] == receiver and "no passkey" not in str(link)
                           for link in portal.installation.live("show", "links")), "the link has its passkey")


def test_settings_reach_every_customer(portal, browser):
    sign_in(browser, "north-admin")
    browser.driver.set_window_size(1100, 1000)
    browser.open("#/settings")
    browser.press("Add station record")
    browser.type("name", "rx")
    browser.press("Save")
    browser.says("[data-field=name] .refused", "another station")
    browser.type("name", "second desk")
    browser.type("prefix", "77")
    browser.press("Save")
    browser.says("section table", "second desk")
    panic = browser.find("tr[data-subject='9'] [data-field=code] input")
    panic.send_keys(Keys.CONTROL, "a", Keys.NULL, "12", Keys.TAB)
    browser.until(lambda: browser.text("tr[data-subject='9'] .refused"))
    panic.send_keys(Keys.CONTROL, "a", Keys.NULL, "122", Keys.TAB)
    browser.says("tr[data-subject='9']", "dealer settings")
    webhook(portal, browser)
    browser.picture("10-settings")
    browser.phone("10-settings")
    browser.find("button[aria-label='Remove: billing']").click()
    browser.driver.switch_to.alert.accept()
    browser.says("tocsin-webhooks", "No webhook yet")
    assert portal.postgres.query("SELECT prefix FROM tocsin.station_record WHERE name = 'second desk'") == [("77",)]
    assert portal.postgres.query("SELECT code FROM tocsin.alarm_library WHERE dealer_id = 1 AND zone_type = 9") == [("122",)]
    browser.open("#/site/1")
    browser.says("tr[data-subject='9']", "dealer settings")
    browser.find("tocsin-history summary").click()
    browser.says("tocsin-history", "sent to no receiver")
    browser.picture("11-history", axe=False)
    assert browser.faults() == []


def test_a_file_is_looked_at_before_it_is_stored(portal, browser):
    sign_in(browser, "north-admin")
    file = portal.directory / "customers.csv"
    file.write_text("name,timezone,station,account\nFrom <file>,UTC,rx,0321\nWrong,Mars/Base,,\n")
    browser.press("Import")
    browser.until(lambda: browser.driver.find_element(By.CSS_SELECTOR, "[name=file]")).send_keys(str(file))
    browser.press("Preview")
    browser.says("main", "1 good, 0 there already, 1 refused")
    assert portal.postgres.query("SELECT 1 FROM tocsin.site WHERE account_number = '0321'") == []
    browser.picture("12-import", phone=True)
    browser.press("Store the good ones: 1")
    browser.says("#message", "1 stored")
    browser.find("main td a").click()
    browser.heading("From <file>")
    assert browser.faults() == []


def test_partitions_members_and_a_schedule(portal, browser):
    sign_in(browser, "north-admin")
    browser.open("#/site/1")
    browser.type("number", "2")
    browser.find("#add-partition [name=name]").send_keys("Attic")
    browser.press("Add partition")
    browser.says("main", "Attic")
    browser.find("button[aria-label='Choose inputs: Attic']").click()
    browser.find("#partition-channels input").click()
    browser.find("#partition-channels button").click()
    browser.says("#message", "saved")
    browser.find("#arming input[value=schedule]").click()
    browser.press("Set arming method")
    browser.find("#add-window input[value='1']").click()
    browser.driver.execute_script("for (const [name, value] of [['from', '22:00'], ['until', '06:00']])"
                                  "document.querySelector(`#add-window [name=${name}]`).value = value")
    browser.press("Add times")
    browser.says("main", "22:00")
    browser.find("button[aria-label='Supervise: N1']").click()
    browser.find("#supervise select").send_keys("SP3")
    browser.find("#supervise button").click()
    browser.says("main", "primary SP3")
    browser.picture("13-site", phone=True)
    assert portal.postgres.query("SELECT week_minutes::text FROM tocsin.arming_window WHERE site_id = 1") == [("[1320,1800)",)]
    assert portal.postgres.query("SELECT p.name FROM tocsin.partition_channel JOIN tocsin.site_partition p ON p.id = partition_id "
                                 "WHERE channel_id = 1") == [("Attic",)]
    assert browser.faults() == []


def test_users_keys_and_a_second_factor(portal, browser):
    sign_in(browser, "north-admin")
    browser.open("#/users")
    browser.press("Add user")
    browser.type("login", "north-admin")
    browser.type("name", "New")
    browser.press("Save")
    browser.says("[data-field=login] .refused", "another user")
    browser.type("login", "newcomer")
    browser.find("[name=role]").send_keys("Dealer, viewer")
    browser.press("Save")
    browser.says("main table", "no password yet")
    browser.find("#add-key [name=name]").send_keys("script")
    browser.press("Make a key")
    key = browser.find("#new-key").get_attribute("value")
    assert portal.request("GET", "/api/v1/sites", headers={"Authorization": f"Bearer {key}"}).status == 200
    browser.picture("14-users-and-keys", phone=True)
    browser.open("#/audit")
    browser.says("main", "added api key")
    browser.find("main summary").click()
    browser.picture("15-audit", phone=True)
    browser.open("#/account")
    browser.press("Set up a second factor")
    secret = browser.text("main code").replace(" ", "")
    browser.picture("16-second-factor", phone=True)
    browser.type("code", one_time_code(secret, -1))
    browser.press("Confirm")
    browser.press("I have kept them")
    browser.press("Sign out")
    browser.type("login", "north-admin")
    browser.type("password", PASSWORD)
    browser.press("Sign in")
    browser.type("code", one_time_code(secret))
    browser.picture("17-code", axe=False)
    browser.press("Sign in")
    browser.open("#/account")
    browser.type("code", one_time_code(secret, 1))
    browser.press("Turn it off")
    browser.says("#message", "is off")
    assert browser.faults() == []


def test_who_only_looks_is_offered_no_change(portal, browser):
    sign_in(browser, "north-viewer")
    browser.open("#/site/1")
    browser.heading("north house")
    assert not browser.find("tr[data-subject='9'] input").is_enabled()
    assert set(browser.driver.execute_script(BUTTONS)) - {""} == {"Look again"}
    browser.picture("18-viewer", phone=True, axe=False)


def test_operations_show_what_happens(portal, browser):
    place = portal.installation
    sign_in(browser, "op")
    browser.find("a[href='#/operations']").click()
    browser.heading("Operations")
    browser.until(lambda: browser.text("tocsin-signals .badge") == "Live")
    browser.says(".state", "up")
    alarm(place, "A1", 1)
    browser.says("tocsin-signals table", "north house")
    alarm(place, "NOBODY", 2)
    browser.says("tocsin-signals table", "unknown account")
    text = "<img src=x onerror=alert(1)>"
    alarm(place, "A1", 3, f"Nri1/BA002^{text}^", identifier="SIA-DCS")
    browser.says("tocsin-signals table", text)
    browser.until(lambda: browser.driver.find_elements(By.CSS_SELECTOR, ".chart path.line-0[d^=M]"))
    browser.picture("22-operations")
    browser.phone("22-operations")
    browser.type("account", "NOBODY")
    browser.press("Filter")
    browser.until(lambda: "unknown account" in browser.text("tocsin-signals table")
                  and "north house" not in browser.text("tocsin-signals table"))
    place.rx.kill()
    browser.says(".banner", "Not reached at all: rx")
    browser.picture("23-receiver-lost")
    assert browser.faults() == []


def test_no_page_keeps_anybody_out(browser):
    """Of the pages that the tests before took pictures of."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed")
    assert browser.serious == []


@pytest.mark.parametrize("login, places", [
    ("north-admin", ("", "#/new/place", "#/site/1", "#/settings", "#/users", "#/audit", "#/account", "#/import")),
    ("op", ("#/operations",))])
def test_nothing_moves_by_itself(browser, login, places):
    """While a page comes and nobody touches it, whatever comes first."""
    sign_in(browser, login)
    moved = {}
    for place in places:
        browser.open(f"?{next(visits)}{place}")
        browser.find("h2")
        [moved[place]] = browser.when(CALM)
    assert {place: far for place, far in moved.items() if far > SHIFT_MOST} == {}
