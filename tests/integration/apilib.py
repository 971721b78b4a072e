# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""For tests of the API probes on this kernel: runs build/tools/apidump, which captures without a guard, and puts the streams together."""
import json
import os
import subprocess
import threading
import time

BUILD = os.environ.get("BUILD", "build")
APIDUMP = f"{BUILD}/tools/apidump"
MIDWAY, CLOSED, RESET, SAMPLED = 1, 2, 4, 8
UNKNOWN, SERVER, CLIENT = 0, 1, 2


class Stream:
    """One connection as one process saw it: the bytes of each direction, holes as zeros."""

    def __init__(self, chunk):
        self.data = {"in": bytearray(), "out": bytearray()}
        self.holes = {"in": 0, "out": 0}
        self.next = {"in": 0, "out": 0}
        self.flags = 0
        self.closed = False
        self.errors = []
        self.update(chunk)

    def update(self, c):
        for k in ("role", "source", "tgid", "comm", "exe", "local", "remote"):
            setattr(self, k, c[k])

    def add(self, c):
        self.update(c)
        self.flags |= c["flags"]
        self.closed |= bool(c["flags"] & CLOSED)
        d = c["dir"]
        if c["pos"] < self.next[d]:
            self.errors.append(f"{d} goes back from {self.next[d]} to {c['pos']}")
        if c["flags"] & CLOSED:
            return
        hole = c["pos"] - self.next[d]
        text = c["data"].encode("utf-8", "replace")
        self.data[d] += b"\0" * hole + text + b"\0" * c["skipped"]
        self.holes[d] += hole + c["skipped"]
        self.next[d] = c["pos"] + c["len"] + c["skipped"]


class Dump:
    """with Dump() as d: ...; afterwards d.streams (by connection), d.stats."""

    def __init__(self, *args):
        self.args = [str(a) for a in args]
        self.lines = []
        self.streams = {}
        self.stats = None

    def __enter__(self):
        self.process = subprocess.Popen([APIDUMP, *self.args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert json.loads(self.process.stdout.readline())["ready"]
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        time.sleep(0.1)
        self.process.stdin.close()
        self.reader.join(30)
        self.process.wait(30)
        for line in self.lines:
            c = json.loads(line)
            if "stats" in c:
                self.stats = c
                continue
            s = self.streams.setdefault(c["conn"], Stream(c))
            s.add(c)

    def of(self, tgid=None, port=None, role=None):
        """Streams of a process, with this port at either end, in this role."""
        return [s for s in self.streams.values() if (tgid is None or s.tgid == tgid) and (role is None or s.role == role) and
                (port is None or str(port) in (s.local.rsplit(":", 1)[-1], s.remote.rsplit(":", 1)[-1]))]
