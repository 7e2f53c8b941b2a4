"""The portal's pages in a real browser: signing in, a customer from "+" to its
overview with a refusal on the way, the dealer's settings. Screenshots of each
step stay in the test's directory."""
import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from harness import SOURCE, make_directory, remove_directory
from portal import PASSWORD, Portal, one_time_code

WAIT_S = 60
# installed by tools/prepare --test where npm's registry can be reached
AXE = SOURCE / "tests/node_modules/axe-core/axe.min.js"


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
        self.pictures = pictures
        self.serious = []
        self.address = f"http://127.0.0.1:{portal.port}/"

    def open(self, place=""):
        self.driver.get(self.address + place)

    def until(self, condition):
        """Its first true value; a page that is replaced meanwhile is looked at again."""
        return WebDriverWait(self.driver, WAIT_S, 0.05, [StaleElementReferenceException]).until(lambda _: condition())

    def find(self, selector):
        """The one that is shown, waited for."""
        def shown():
            return next((one for one in self.driver.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()), None)
        return self.until(shown)

    def press(self, text):
        def pressed():
            found = [one for one in self.driver.find_elements(By.TAG_NAME, "button") if one.text == text and one.is_enabled()]
            if found:
                found[0].click()
            return bool(found)
        self.until(pressed)

    def type(self, name, text):
        def typed():
            control = self.find(f"[name={name}]")
            control.clear()
            control.send_keys(text)
            return True
        self.until(typed)

    def heading(self, part):
        self.until(lambda: part in self.driver.find_element(By.TAG_NAME, "h2").text)

    def picture(self, name):
        """Of the page as it is; what axe-core has against it is noted."""
        self.driver.save_screenshot(str(self.pictures / f"{name}.png"))
        if not AXE.exists():
            return
        self.driver.execute_script(AXE.read_text() + "; window.axe = axe;")
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run({resultTypes: ['violations']}).then((result) => done(result.violations))")
        self.serious += [f"{name}: {fault['help']}: {fault['nodes'][0]['html']}" for fault in found
                         if fault["impact"] in ("serious", "critical")]

    def faults(self):
        """What the console says, but for refusals, which it counts as failed requests."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and "api/v1" not in entry["message"]]


@pytest.fixture(scope="module")
def portal():
    directory = make_directory()
    portal = Portal(directory, web=SOURCE / "web")
    yield portal
    portal.close()
    text = portal.program.text()
    remove_directory(directory)
    assert "Sanitizer" not in text and "runtime error" not in text, text[-4000:]


@pytest.fixture(scope="module")
def browser(portal, tmp_path_factory):
    browser = Browser(portal, tmp_path_factory.mktemp("pictures"))
    yield browser
    browser.picture("last")
    browser.driver.quit()


def sign_in(browser, login):
    """As somebody else than the test before."""
    browser.driver.delete_all_cookies()
    browser.open("?" + login)
    browser.type("login", login)
    browser.type("password", PASSWORD)
    browser.press("Sign in")
    browser.heading("Customers")
    browser.until(lambda: "north house" in browser.find("table").text)
    assert "south house" not in browser.find("table").text


def test_a_wrong_password_is_said_where_it_was_typed(browser):
    browser.open()
    browser.type("login", "north-admin")
    browser.type("password", "wrong password")
    browser.press("Sign in")
    browser.until(lambda: "do not match" in browser.find("#message").text)
    assert browser.find("[name=login]").get_attribute("value") == "north-admin"
    browser.picture("1-sign-in-refused")


def test_a_customer_from_plus_to_its_overview(portal, browser):
    name = "<b>Hill & Sons</b>"
    sign_in(browser, "north-admin")
    browser.picture("2-customers")
    browser.press("+ New customer")
    browser.heading("Step 1 of 5")
    browser.press("Next")
    assert browser.find("[data-field=name] .refused").text
    assert browser.driver.switch_to.active_element.get_attribute("name") == "name"
    browser.type("name", name)
    browser.type("city", "Dale")
    browser.type("timezone", "Europe/Athens")
    # leaving half way
    browser.driver.refresh()
    browser.until(lambda: browser.find("[name=city]").get_attribute("value") == "Dale")
    browser.picture("3-name-and-address")
    browser.press("Next")
    browser.heading("Step 2 of 5")
    browser.find("[name=station_record_id]").send_keys("rx")
    browser.type("account_number", "0001")
    browser.until(lambda: "gets account 0001" in browser.find("main").text)
    browser.press("Next")
    browser.heading("Step 3 of 5")
    browser.find("input[value=panel_signals]").click()
    browser.picture("4-arming")
    browser.press("Next")
    browser.heading("Step 4 of 5")
    inherited = browser.find("tr.inherited[data-subject='3']")
    assert "built in" in inherited.text
    inherited.find_element(By.CSS_SELECTOR, "input[type=checkbox]").click()
    browser.until(lambda: "this customer" in browser.find("tr[data-subject='3']").text)
    browser.picture("5-alarm-codes")
    browser.press("Next")
    browser.heading("Step 5 of 5")
    browser.until(lambda: "Instant" in browser.find("main").text)
    browser.picture("6-review")
    browser.press("Create customer")
    # the account is another customer's: said at the field, with what was typed
    browser.heading("Step 2 of 5")
    browser.until(lambda: browser.find("[data-field=account_number] .refused").text)
    assert browser.find("[name=account_number]").get_attribute("aria-invalid") == "true"
    browser.picture("7-refused")
    browser.type("account_number", "0077")
    for step in (3, 4, 5):
        browser.press("Next")
        browser.heading(f"Step {step} of 5")
    browser.press("Create customer")
    browser.heading(name)
    browser.until(lambda: "0077" in browser.find("dl").text)
    browser.picture("8-overview")
    assert portal.postgres.query("SELECT name, city, timezone, account_number, arming_method FROM tocsin.site "
                                 "WHERE account_number = '0077'") == [(name, "Dale", "Europe/Athens", "0077", "panel_signals")]
    assert portal.postgres.query("SELECT zone_type, enabled, code FROM tocsin.alarm_library") == [(3, False, None)]
    browser.type("claim_code", "abcd efgh")
    browser.press("Register bridge")
    browser.until(lambda: "F3" in browser.find("main").text)
    browser.type("zones", "001, 002")
    browser.find("#add-channel [name=name]").send_keys("Yard gate")
    browser.press("Add input")
    browser.until(lambda: "Yard gate" in browser.find("main").text)
    browser.find("#add-contact [name=name]").send_keys("<i>Ann</i>", Keys.TAB * 2, "555 0100", Keys.ENTER)
    browser.until(lambda: "<i>Ann</i>" in browser.find("main").text)
    browser.press("Start test")
    browser.until(lambda: browser.find(".badge").text == "on test")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    browser.driver.set_window_size(500, 1000)
    browser.picture("9-dark-and-narrow")
    assert browser.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert browser.faults() == []


def test_settings_reach_every_customer(portal, browser):
    sign_in(browser, "north-admin")
    browser.driver.set_window_size(1100, 1000)
    browser.open("#/settings")
    browser.press("Add station record")
    browser.type("name", "rx")
    browser.press("Save")
    browser.until(lambda: "another station" in browser.find("[data-field=name] .refused").text)
    browser.type("name", "second desk")
    browser.type("prefix", "77")
    browser.press("Save")
    browser.until(lambda: "second desk" in browser.find("section table").text)
    panic = browser.find("tr[data-subject='9'] [data-field=code] input")
    panic.send_keys(Keys.CONTROL, "a", Keys.NULL, "12", Keys.TAB)
    browser.until(lambda: browser.find("tr[data-subject='9'] .refused").text)
    panic.send_keys(Keys.CONTROL, "a", Keys.NULL, "122", Keys.TAB)
    browser.until(lambda: "dealer settings" in browser.find("tr[data-subject='9']").text)
    browser.picture("10-settings")
    assert portal.postgres.query("SELECT prefix FROM tocsin.station_record WHERE name = 'second desk'") == [("77",)]
    assert portal.postgres.query("SELECT code FROM tocsin.alarm_library WHERE dealer_id = 1 AND zone_type = 9") == [("122",)]
    browser.open("#/site/1")
    browser.until(lambda: "dealer settings" in browser.find("tr[data-subject='9']").text)
    browser.find("tocsin-history summary").click()
    browser.until(lambda: "sent to no receiver" in browser.find("tocsin-history").text)
    browser.picture("11-history")
    assert browser.faults() == []


def test_a_file_is_looked_at_before_it_is_stored(portal, browser):
    sign_in(browser, "north-admin")
    file = portal.directory / "customers.csv"
    file.write_text("name,timezone,station,account\nFrom <file>,UTC,rx,0321\nWrong,Mars/Base,,\n")
    browser.press("Import")
    browser.until(lambda: browser.driver.find_element(By.CSS_SELECTOR, "[name=file]")).send_keys(str(file))
    browser.press("Preview")
    browser.until(lambda: "1 good, 0 there already, 1 refused" in browser.find("main").text)
    assert portal.postgres.query("SELECT 1 FROM tocsin.site WHERE account_number = '0321'") == []
    browser.picture("12-import")
    browser.press("Store 1 rows")
    browser.until(lambda: "1 stored" in browser.find("#message").text)
    browser.find("main td a").click()
    browser.heading("From <file>")
    assert browser.faults() == []


def test_partitions_members_and_a_schedule(portal, browser):
    sign_in(browser, "north-admin")
    browser.open("#/site/1")
    browser.type("number", "2")
    browser.find("#add-partition [name=name]").send_keys("Attic")
    browser.press("Add partition")
    browser.until(lambda: "Attic" in browser.find("main").text)
    browser.find("button[aria-label='Choose inputs: Attic']").click()
    browser.find("#partition-channels input").click()
    browser.find("#partition-channels button").click()
    browser.until(lambda: "saved" in browser.find("#message").text)
    browser.find("#arming input[value=schedule]").click()
    browser.press("Set arming method")
    browser.find("#add-window input[value='1']").click()
    browser.driver.execute_script("for (const [name, value] of [['from', '22:00'], ['until', '06:00']])"
                                  "document.querySelector(`#add-window [name=${name}]`).value = value")
    browser.press("Add times")
    browser.until(lambda: "22:00" in browser.find("main").text)
    browser.find("button[aria-label='Supervise: N1']").click()
    browser.find("#supervise select").send_keys("SP3")
    browser.find("#supervise button").click()
    browser.until(lambda: "primary SP3" in browser.find("main").text)
    browser.picture("13-site")
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
    browser.until(lambda: "another user" in browser.find("[data-field=login] .refused").text)
    browser.type("login", "newcomer")
    browser.find("[name=role]").send_keys("Dealer, viewer")
    browser.press("Save")
    browser.until(lambda: "no password yet" in browser.find("main table").text)
    browser.find("#add-key [name=name]").send_keys("script")
    browser.press("Make a key")
    key = browser.find("#new-key").get_attribute("value")
    assert portal.request("GET", "/api/v1/sites", headers={"Authorization": f"Bearer {key}"}).status == 200
    browser.picture("14-users-and-keys")
    browser.open("#/audit")
    browser.until(lambda: "added api key" in browser.find("main").text)
    browser.find("main summary").click()
    browser.picture("15-audit")
    browser.open("#/account")
    browser.press("Set up a second factor")
    secret = browser.find("main code").text.replace(" ", "")
    browser.picture("16-second-factor")
    browser.type("code", one_time_code(secret, -1))
    browser.press("Confirm")
    browser.press("I have kept them")
    browser.press("Sign out")
    browser.type("login", "north-admin")
    browser.type("password", PASSWORD)
    browser.press("Sign in")
    browser.type("code", one_time_code(secret))
    browser.picture("17-code")
    browser.press("Sign in")
    browser.open("#/account")
    browser.type("code", one_time_code(secret, 1))
    browser.press("Turn it off")
    browser.until(lambda: "is off" in browser.find("#message").text)
    assert browser.faults() == []


def test_who_only_looks_is_offered_no_change(portal, browser):
    sign_in(browser, "north-viewer")
    browser.open("#/site/1")
    browser.heading("north house")
    assert not browser.find("tr[data-subject='9'] input").is_enabled()
    buttons = {one.text for one in browser.driver.find_elements(By.CSS_SELECTOR, "main button") if one.is_enabled()}
    assert buttons - {""} == {"Look again"}
    browser.picture("18-viewer")


def test_no_page_keeps_anybody_out(browser):
    """Of the pages that the tests before took pictures of."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed")
    assert browser.serious == []
