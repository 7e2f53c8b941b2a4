"""One DC-09 panel by hand (docs/PROTOCOLS.md, DC-09): frames that tocsin-load
would never send, and what comes back."""
import os
import re
import socket
import subprocess
import time

REPLY_S = 30


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def aes(data, key, decrypt=False):
    """AES-CBC as DC-09 has it: IV zero, no padding of its own."""
    return subprocess.run(
        ["openssl", "enc", f"-aes-{len(key) * 8}-cbc", "-K", key.hex(), "-iv",
         "00" * 16, "-nopad", *(["-d"] if decrypt else [])],
        input=data, capture_output=True, check=True).stdout


def timestamp(offset_s=0):
    return time.strftime("_%H:%M:%S,%m-%d-%Y",
                         time.gmtime(time.time() + offset_s)).encode()


def envelope(body):
    return b"\n%04X0%03X%s\r" % (crc16(body), len(body), body)


def frame(account, content, *, identifier="ADM-CID", sequence=1, receiver="",
          line="L0", key=None, stamp=b""):
    """content without the account, e.g. "1130 01 002" or "Nri1/BA2"."""
    data = f"#{account}|{content}]".encode() if content else b"]"
    head = f'{sequence:04d}{receiver}{line}#{account}['.encode()
    if key is None:
        return envelope(b'"%s"%s%s%s' % (identifier.encode(), head, data,
                                         stamp))
    stamp = stamp or timestamp()
    pad = os.urandom(-(1 + len(data) + len(stamp)) % 16).translate(
        bytes(c if c not in b"|[]" else 65 for c in range(256)))
    sealed = aes(pad + b"|" + data + stamp, key)
    return envelope(b'"*%s"%s%s' % (identifier.encode(), head,
                                    sealed.hex().upper().encode()))


def reply_kind(reply):
    """ACK, *ACK, DUH, NAK: of a reply whose length and CRC are right."""
    match = re.fullmatch(rb'\n([0-9A-F]{4})0([0-9A-F]{3})("([^"]*)".*)\r',
                         reply, re.S)
    assert match, reply
    body = match[3]
    assert int(match[1], 16) == crc16(body), reply
    assert int(match[2], 16) == len(body), reply
    return match[4].decode()


class Panel:
    """A connection, or a socket for datagrams."""

    def __init__(self, port, udp=False):
        self.udp = udp
        self.socket = socket.socket(
            socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
        self.socket.settimeout(REPLY_S)
        self.socket.connect(("127.0.0.1", port))
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """The next reply; b"" when the connection was closed."""
        while b"\r" not in self.buffer:
            data = self.socket.recv(4096)
            if not data:
                return b""
            self.buffer += data
        reply, _, self.buffer = self.buffer.partition(b"\r")
        return reply + b"\r"

    def ask(self, data):
        self.send(data)
        return reply_kind(self.receive())

    def is_silent_about(self, data, then):
        """data is not answered: the next reply is that to `then`, which is."""
        self.send(data)
        return self.ask(then)
