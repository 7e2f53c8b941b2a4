"""Which of its site's bridges one is: given where it is registered, and kept."""
import pytest


@pytest.fixture
def numbers(db):
    db.execute("""
        INSERT INTO tocsin.dealer (name) VALUES ('d');
        INSERT INTO tocsin.site (dealer_id, name, timezone) VALUES (1, 'a', 'UTC'), (1, 'b', 'UTC');
        INSERT INTO tocsin.bridge (serial, site_id) VALUES ('B1', 1), ('B2', 1), ('B3', 1), ('B4', 2), ('B5', NULL)""")

    def read():
        db.execute("SELECT id, number FROM tocsin.bridge ORDER BY id")
        return dict(db.fetchall())
    return read


def test_each_site_counts_for_itself(db, numbers):
    assert numbers() == {1: 1, 2: 2, 3: 3, 4: 1, 5: None}
    db.execute("UPDATE tocsin.bridge SET site_id = NULL WHERE id = 2")
    assert numbers() == {1: 1, 2: None, 3: 3, 4: 1, 5: None}
    # the least that is free; nobody else's changes
    db.execute("UPDATE tocsin.bridge SET site_id = 1 WHERE id = 5")
    assert numbers() == {1: 1, 2: None, 3: 3, 4: 1, 5: 2}
    for site in (None, 2):
        db.execute("UPDATE tocsin.bridge SET site_id = %s WHERE id = 3", (site,))
    db.execute("UPDATE tocsin.bridge SET model = 'X'")
    assert numbers() == {1: 1, 2: None, 3: 2, 4: 1, 5: 2}
    db.execute("DELETE FROM tocsin.bridge WHERE id = 1")
    db.execute("INSERT INTO tocsin.bridge (serial, site_id) VALUES ('B6', 1), ('B7', 1)")
    assert numbers() == {2: None, 3: 2, 4: 1, 5: 2, 6: 1, 7: 3}


def test_the_daemon_reads_it(db, numbers):
    db.execute("SELECT id, number FROM tocsin.directory_bridge ORDER BY id")
    assert db.fetchall() == [(1, 1), (2, 2), (3, 3), (4, 1), (5, 0)]
