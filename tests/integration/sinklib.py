# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""For tests of the sinks: the guard's delivery without the guard (build/tools/bwdeliver), and receivers that check what they are sent."""
import http.server
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

BUILD = os.environ.get("BUILD", "build")
WORK = os.environ["WORK"]
TEST = os.path.basename(sys.argv[0])
BWDELIVER = f"{BUILD}/tools/bwdeliver"


def ok(name):
    print(f"ok {TEST}: {name}", flush=True)


def bad(name, why):
    print(f"not ok {TEST}: {name}: {str(why)[:1500]!r}", flush=True)


def skip(name, why):
    print(f"skip {TEST}: {name}: {why}", flush=True)


def check(name, got, want):
    if got == want:
        ok(name)
    else:
        bad(name, f"got {got!r}, wanted {want!r}")
    return got == want


def check_true(name, value, why=""):
    if value:
        ok(name)
    else:
        bad(name, why or "it is not so")
    return bool(value)


def wait(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


def event(n, severity="info", **more):
    return {"v": 1, "seq": n, "uid": f"00112233aabbccdd-{n:016x}", "time": "2026-11-28T08:00:00.000000000Z", "host": "web-1", "kind": "load",
            "severity": severity, "rule": "load.default", "prog_name": f"prog{n}", "message": f"event {n} \"|=]\\ end", **more}


class Deliver:
    """A running delivery."""

    def __init__(self, sinks, name="d", spool=None, prefix=(), state=None, noise=None):
        self.dir = f"{WORK}/{name}"
        os.makedirs(self.dir, exist_ok=True)
        self.state = state or f"{self.dir}/state"
        self.config = f"{self.dir}/guard.json"
        with open(self.config, "w", encoding="utf-8") as f:
            json.dump({"sinks": sinks, **({"spool": spool} if spool else {}), **({"noise": noise} if noise else {})}, f)
        self.out = f"{self.dir}/out"
        self.sent = []
        self.next = 1
        self.start(prefix)

    def start(self, prefix=(), wait_s=0):
        with open(self.out, "ab") as out, open(f"{self.dir}/err", "ab") as err:
            self.offset = out.tell()
            self.process = subprocess.Popen([*prefix, BWDELIVER, self.config, self.state, str(wait_s)], stdin=subprocess.PIPE, stdout=out, stderr=err)
        if not wait(lambda: "started" in self.said(), 30):
            bad("the delivery starts", open(f"{self.dir}/err").read())

    def said(self):
        with open(self.out, encoding="utf-8") as f:
            f.seek(self.offset)
            return f.read()

    def send(self, count=1, **more):
        """Publishes events and commits them. Their numbers."""
        first = self.next
        for n in range(first, first + count):
            e = event(n, **more)
            self.sent.append(e)
            self.process.stdin.write(json.dumps(e).encode() + b"\n")
        self.next += count
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return list(range(first, first + count))

    def status(self):
        try:
            with open(f"{self.state}/spool/deliver/status.json", encoding="utf-8") as f:
                return {s["name"]: s for s in json.load(f)["sinks"]}
        except (OSError, ValueError):
            return {}

    def sink(self, name):
        return self.status().get(name, {"state": "none", "delivered": 0, "refused": 0, "error": "", "cursor": 0, "failures": 0, "missing": 0})

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ---- certificates: made here, by openssl(1) ---------------------------------------------------------------------------
def certificate(name, ca=None, days="2", san="IP:127.0.0.1,DNS:localhost", expired=False):
    base = f"{WORK}/{name}"
    config = f"{base}.cnf"
    with open(config, "w", encoding="utf-8") as f:
        f.write(f"[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN={name}\n[ext]\nsubjectAltName={san}\n"
                f"{'basicConstraints=critical,CA:TRUE' if not ca else 'basicConstraints=CA:FALSE'}\n")
    run = lambda *a: subprocess.run(a, check=True, capture_output=True)
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{base}.key")
    if not ca:
        run("openssl", "req", "-x509", "-new", "-key", f"{base}.key", "-config", config, "-extensions", "ext", "-days", days, "-out", f"{base}.crt")
        return base
    run("openssl", "req", "-new", "-key", f"{base}.key", "-config", config, "-out", f"{base}.csr")
    dates = ["-days", days]
    if expired:
        # x509 -days takes no negative numbers in all versions: a ca section does
        open(f"{base}.index", "w").close()
        with open(config, "a", encoding="utf-8") as f:
            f.write(f"[ca]\ndefault_ca=c\n[c]\ndatabase={base}.index\nnew_certs_dir={WORK}\nserial={base}.serial\ndefault_md=sha256\npolicy=p\n[p]\nCN=supplied\n")
        run("openssl", "ca", "-batch", "-config", config, "-cert", f"{ca}.crt", "-keyfile", f"{ca}.key", "-in", f"{base}.csr", "-out", f"{base}.crt",
            "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-extensions", "ext", "-create_serial", "-notext")
        return base
    run("openssl", "x509", "-req", "-in", f"{base}.csr", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key", "-CAcreateserial", "-extfile", config, "-extensions",
        "ext", *dates, "-out", f"{base}.crt")
    return base


# ---- HTTP receivers -------------------------------------------------------------------------------------------------------
class Http:
    """A receiver whose answers are made by ANSWER(request) -> (status, body, headers). Keeps the requests."""

    def __init__(self, answer, port=0, tls=None):
        outer = self
        self.requests, self.answer, self.lock = [], answer, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # an answer in one segment: else the receiver's kernel waits 40 ms with the second

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = {"path": self.path, "headers": self.headers, "body": body}
                with outer.lock:
                    outer.requests.append(request)
                    got = outer.answer(request)
                if got is None:  # hangs up in the middle
                    self.close_connection = True
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    return
                status, text, *more = got
                data = text if isinstance(text, bytes) else json.dumps(text).encode()
                self.send_response(status)
                for k, v in (more[0] if more else {}).items():
                    self.send_header(k, v)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


# ---- TCP receivers --------------------------------------------------------------------------------------------------------
class Tcp:
    """Takes octet-counted frames; keeps the messages. May be frozen, and may hang up."""

    def __init__(self, port=0, tls=None, rcvbuf=None):
        self.messages, self.errors, self.connections = [], [], 0
        self.frozen, self.stop_after = threading.Event(), None
        self.tls = tls
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if rcvbuf:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(c)
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        buf = b""
        try:
            if self.tls:
                c = self.tls.wrap_socket(c, server_side=True)
            while True:
                while self.frozen.is_set():
                    time.sleep(0.05)
                data = c.recv(65536)
                if not data:
                    break
                buf += data
                while True:
                    m = re.match(rb"(\d{1,7}) ", buf)
                    if not m or len(buf) < m.end() + int(m[1]):
                        if not m and len(buf) > 9:
                            self.errors.append(buf[:50])
                        break
                    self.messages.append(buf[m.end():m.end() + int(m[1])])
                    buf = buf[m.end() + int(m[1]):]
                    if self.stop_after and len(self.messages) >= self.stop_after:
                        self.stop_after = None
                        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                        c.close()
                        return
        except (OSError, ssl.SSLError) as e:
            self.errors.append(e)
        finally:
            c.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts, which holds it open
        self.listener.close()
        for c in self.open:
            try:
                c.close()
            except OSError:
                pass

    def numbers(self):
        return [json.loads(m)["seq"] for m in self.messages]
