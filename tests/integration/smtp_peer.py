"""A mail server for tests, with faults: it answers as its script says, mail by
mail, and keeps what it took."""
import base64
import email
import email.policy
import socketserver
import ssl
import threading


class Session(socketserver.StreamRequestHandler):
    """One connection; the peer's script decides about each mail."""

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def line(self):
        line = self.rfile.readline(70000)
        if not line.endswith(b"\r\n"):
            raise ConnectionError
        return line[:-2].decode()

    def secure(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.peer.certificate)
        self.connection = context.wrap_socket(self.connection,
                                              server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self.tls = True

    def handle(self):
        peer = self.server.peer
        self.tls = self.known = False
        with peer.lock:
            peer.connections += 1
        try:
            if peer.implicit_tls:
                self.secure()
            self.say("220 peer.example ESMTP")
            while self.command(peer):
                pass
        except (ConnectionError, ssl.SSLError, OSError, ValueError):
            pass

    def hello(self, peer):
        extensions = ["peer.example"]
        if peer.certificate and not self.tls:
            extensions.append("STARTTLS")
        if peer.login and self.tls:
            extensions.append("AUTH PLAIN")
        for text in extensions[:-1]:
            self.say("250-" + text)
        self.say("250 " + extensions[-1])

    def authenticate(self, peer, words):
        given = words[2] if len(words) > 2 else ""
        if not given:
            self.say("334 ")
            given = self.line()
        user, password = base64.b64decode(given).split(b"\0")[1:]
        self.known = (user.decode(), password.decode()) == peer.login
        self.say("235 welcome" if self.known else "535 5.7.8 wrong password")

    def data(self, peer, fault):
        if fault == "451-data":
            self.say("451 4.3.0 later")
            return True
        self.say("354 go on")
        lines = []
        while (line := self.line()) != ".":
            lines.append(line[1:] if line.startswith(".") else line)
        if fault == "silent":
            peer.stopped.wait(30)
            return False
        if fault == "close":
            return False
        if fault and fault[0] in "45":
            self.say(fault)
            return True
        with peer.lock:
            peer.mails.append(email.message_from_string(
                "\r\n".join(lines), policy=email.policy.default))
        self.say("250 2.0.0 taken")
        return fault != "close-after"

    def command(self, peer):
        words = self.line().split(" ")
        verb = words[0].upper()
        if verb == "EHLO":
            self.hello(peer)
        elif verb == "STARTTLS":
            self.say("220 go on")
            self.secure()
        elif verb == "AUTH":
            self.authenticate(peer, words)
        elif verb == "MAIL" and peer.login and not self.known:
            self.say("530 5.7.0 who are you")
        elif verb == "MAIL":
            self.fault = peer.next_fault()
            self.say("250 ok")
        elif verb == "RCPT":
            self.say("450 4.2.0 greylisted, try again"
                     if self.fault == "greylist" else
                     "550 5.1.1 no such user" if self.fault == "unknown" else
                     "250 ok")
        elif verb == "DATA":
            return self.data(peer, self.fault)
        elif verb == "QUIT":
            self.say("221 bye")
            return False
        else:
            self.say("250 ok")
        return True


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class MailPeer:
    """script: a fault or None for each mail in turn, then none."""

    def __init__(self, certificate=None, login=None, implicit_tls=False,
                 script=()):
        self.certificate, self.login = certificate, login
        self.implicit_tls = implicit_tls
        self.script = list(script)
        self.mails, self.connections = [], 0
        self.lock, self.stopped = threading.Lock(), threading.Event()
        self.server = Server(("127.0.0.1", 0), Session)
        self.server.peer = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def next_fault(self):
        with self.lock:
            return self.script.pop(0) if self.script else None

    def close(self):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()
