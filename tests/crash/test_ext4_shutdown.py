"""
A power cut as a file system sees it: kill -9 leaves the page cache, so it does
not test fsync. An ext4 image is shut down under a journal that is written to;
after mounting it again everything that was told durable must be there.
"""

import fcntl
import os
import pathlib
import shutil
import struct
import subprocess

import pytest

EXT4_IOC_SHUTDOWN = 0x8004587D
NOLOGFLUSH = 2  # what is not on the disk yet is lost
IMAGE_BYTES = 512 << 20

APPENDER = (pathlib.Path(os.environ.get("TOCSIN_BUILD", "."))
            / "tests/journal_appender")


class Disk:
    def __init__(self, directory):
        self.image = directory / "image"
        self.mounted_at = directory / "mount"
        self.mounted = False
        self.mounted_at.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(IMAGE_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)

    def mount(self):
        result = subprocess.run(
            ["mount", "-o", "loop", self.image, self.mounted_at],
            capture_output=True, text=True, check=False)
        self.mounted = result.returncode == 0
        return result.stderr.strip()

    def unmount(self):
        if self.mounted:
            subprocess.run(["umount", self.mounted_at], check=True)
        self.mounted = False

    def cut_power(self):
        fd = os.open(self.mounted_at, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
        finally:
            os.close(fd)


@pytest.fixture
def disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("a loop mount needs root")
    if not shutil.which("mkfs.ext4"):
        pytest.skip("mkfs.ext4 is not installed")
    made = Disk(tmp_path)
    why = made.mount()
    if not made.mounted:
        pytest.skip(f"no loop mount here: {why}")
    try:
        yield made
    finally:
        made.unmount()


def lines(text):
    """NUMBER LSN; the last line may be cut by the end of the process."""
    return [tuple(map(int, line.split()))
            for line in text.split("\n")[:-1]]


@pytest.mark.parametrize("wanted", [500, 5000, 20000])
def test_durable_survives_a_power_cut(disk, wanted):
    directory = disk.mounted_at / "journal"
    directory.mkdir()
    os.sync()
    with subprocess.Popen([APPENDER, "append", directory],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as appender:
        told = []
        try:
            while len(told) < wanted:
                line = appender.stdout.readline()
                assert line, appender.stderr.read()
                told.append(tuple(map(int, line.split())))
            disk.cut_power()
            rest = appender.stdout.read()
            complaint = appender.stderr.read()
            appender.wait(timeout=60)
        finally:
            appender.kill()
    assert appender.returncode == 1, complaint
    assert "journal failed" in complaint
    told += lines(rest)
    disk.unmount()
    assert disk.mount() == ""
    read = subprocess.run([APPENDER, "read", directory], check=False,
                          capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
    kept = lines(read.stdout)
    assert kept[:len(told)] == told
    assert [number for number, _ in kept] == list(range(len(kept)))
