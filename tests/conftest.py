import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "integration"))

import pytest  # noqa: E402

import harness  # noqa: E402


@pytest.fixture
def installation(request):
    """A migrated installation without sites; the daemon is not started."""
    directory = harness.make_directory()
    place = harness.Installation(directory)
    yield place
    place.close()
    report = getattr(request.node, "failed_report", None)
    if report:
        print(f"kept for a look: {directory}")
    else:
        harness.remove_directory(directory)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.get_result().failed:
        item.failed_report = outcome.get_result()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Where several processes share the run: the tests of a file stay together
    for what they share; one with an installation of its own runs anywhere."""
    for item in items:
        if "installation" not in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group(item.path.name))
