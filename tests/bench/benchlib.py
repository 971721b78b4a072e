# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""For measurements: the CPU time of a process, a TCP receiver that reads and forgets, and rsyslog relaying the same messages."""
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


def cpu(pid):
    """Seconds that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
            return [int(x) for x in f.read().split()]
    except OSError:
        return []


class Drain:
    """Reads and forgets; counts bytes."""

    def __init__(self, tls=None):
        self.bytes, self.tls, self.listener = 0, tls, socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        buf = bytearray(1 << 20)
        while True:
            c, _ = self.listener.accept()
            c = self.tls.wrap_socket(c, server_side=True) if self.tls else c
            while n := c.recv_into(buf):
                self.bytes += n


def rsyslog_relay(message, count):
    """TCP in, its queue in memory, TCP out. (seconds, seconds of CPU), or None where there is no rsyslog."""
    if not shutil.which("rsyslogd"):
        return None
    work, drain = tempfile.mkdtemp(), Drain()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with open(f"{work}/rsyslog.conf", "w", encoding="utf-8") as f:
        f.write(f"""global(workDirectory="{work}" maxMessageSize="64k")
module(load="imptcp")
ruleset(name="r" queue.type="LinkedList" queue.size="1000000") {{ action(type="omfwd" target="127.0.0.1" port="{drain.port}" protocol="tcp" TCP_Framing="octet-counted"
  template="RSYSLOG_SyslogProtocol23Format" action.resumeRetryCount="-1") }}
input(type="imptcp" port="{port}" address="127.0.0.1" ruleset="r")
""")
    block = (str(len(message)).encode() + b" " + message) * 100
    with subprocess.Popen(["rsyslogd", "-n", "-f", f"{work}/rsyslog.conf", "-i", f"{work}/pid"], stderr=subprocess.DEVNULL) as p:
        for _ in range(100):
            try:
                c = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                time.sleep(0.1)
        before, begin = cpu(p.pid), time.monotonic()
        for _ in range(count // 100):
            c.sendall(block)
        while drain.bytes < count // 100 * 100 * len(message) and time.monotonic() - begin < 300:
            time.sleep(0.05)
        took, spent = time.monotonic() - begin, cpu(p.pid) - before
        p.kill()
    shutil.rmtree(work, ignore_errors=True)
    return took, spent


def print_rsyslog(name, message, count):
    r = rsyslog_relay(message, count)
    if not r:
        print("# rsyslogd is not installed: nothing to compare with")
        return
    took, spent = r
    print(f"{name} {count / took:.0f} events/s\n{name}_cpu {spent / count * 1e6:.2f} us/event: {count / max(spent, 1 / TICK):.0f} events/s of one core", flush=True)
