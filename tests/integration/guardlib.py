# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""For tests of the guard on this kernel: starts build/bpfwardend with a state directory, socket, policy and pin directory of
its own, reads what it writes, and loads programs by bpf(2) from the test itself."""
import ctypes
import hashlib
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time

BUILD = os.environ.get("BUILD", "build")
WORK = os.environ["WORK"]
BPFWARDEN = f"{BUILD}/bpfwarden"
BPFWARDEND = f"{BUILD}/bpfwardend"
BPFTOOL = next((p for p in ("/usr/sbin/bpftool", "/sbin/bpftool") if os.path.exists(p)), "bpftool")
TEST = os.path.basename(sys.argv[0])
# Whatever the host can do: these tests are about the tier that every host has.
WATCH = ["--features", "-lsm,-fmod_ret"]
CLASSES = ("tracing", "networking", "cgroup", "lsm", "socket_filter", "other")


def ok(name):
    print(f"ok {TEST}: {name}", flush=True)


def bad(name, why):
    why = str(why).replace("\n", " | ")
    print(f"not ok {TEST}: {name}: {why}", flush=True)


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


def require(condition, why):
    """Ends the test as skipped where it cannot run."""
    if not condition:
        skip("all", why)
        sys.exit(0)


def policy(path, default="deny", programs=(), rules=(), inert=True, **more):
    """Writes a policy."""
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"version": 1, "exempt": {"init": False, "inert": {"enabled": inert}},
                   "defaults": {c: default for c in CLASSES}, "programs": list(programs), "rules": list(rules), **more}, f, indent=1)
    return path


# ---- programs -----------------------------------------------------------------------------------------------------------
_libc = ctypes.CDLL(None, use_errno=True)
NR_BPF = 321
PROG_LOAD = 5
SOCKET_FILTER = 1


def returns(n):
    """Instructions of a program that returns n: r0 = n; exit."""
    return struct.pack("<BBhi", 0xb7, 0, 0, n) + struct.pack("<BBhi", 0x95, 0, 0, 0)


def digest(insns):
    """The load digest of instructions without references."""
    return hashlib.sha256(insns).hexdigest()


def load(insns, count=None, address=None, name=b"bwtest", prog_type=SOCKET_FILTER):
    """BPF_PROG_LOAD. Returns a descriptor or a negative errno."""
    code = ctypes.create_string_buffer(insns, len(insns))
    licence = ctypes.create_string_buffer(b"GPL")
    attr = struct.pack("<IIQQIIQII16s", prog_type, len(insns) // 8 if count is None else count,
                       ctypes.addressof(code) if address is None else address, ctypes.addressof(licence), 0, 0, 0, 0, 0, name)
    attr = ctypes.create_string_buffer(attr.ljust(128, b"\0"), 128)
    fd = _libc.syscall(NR_BPF, PROG_LOAD, attr, 128)
    return fd if fd >= 0 else -ctypes.get_errno()


def load_and_close(insns, **more):
    fd = load(insns, **more)
    if fd >= 0:
        os.close(fd)
    return fd


# ---- the guard ----------------------------------------------------------------------------------------------------------
class Guard:
    """A running guard. Everything of it is below DIR."""

    def __init__(self, policy_path, name="g", options=(), output=None, state=None, wait=True, prefix=()):
        self.dir = f"{WORK}/{name}"
        os.makedirs(self.dir, exist_ok=True)
        self.state = state or f"{self.dir}/state"
        self.socket = f"{self.dir}/sock"
        self.events_path = f"{self.dir}/events"
        self.errors_path = f"{self.dir}/errors"
        command = [*prefix, BPFWARDEND, "--foreground", "--state-dir", self.state, "--socket", self.socket,
                   "--pin-dir", f"/sys/fs/bpf/bw-test-{os.getpid()}-{name}", *(("--policy", policy_path) if policy_path else ()),
                   *(("--output", output) if output else ()), *options]
        with open(self.events_path, "ab") as out, open(self.errors_path, "ab") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        self.pid = self.process.pid
        if wait and not self.wait(lambda: self.status(quiet=True) is not None, 30):
            self.process.kill()
            bad("the guard starts", self.errors() or "it does not answer")
            sys.exit(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()

    def errors(self):
        with open(self.errors_path, encoding="utf-8") as f:
            return f.read()

    def events(self, **match):
        """Events written so far, those with these members."""
        found = []
        with open(self.events_path, encoding="utf-8") as f:
            for line in f:
                if line.endswith("\n"):
                    event = json.loads(line)
                    if all(event.get(k) == v for k, v in match.items()):
                        found.append(event)
        return found

    def wait(self, condition, seconds=5):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return True
            if self.process.poll() is not None:
                return bool(condition())
            time.sleep(0.05)
        return False

    def wait_event(self, seconds=5, **match):
        """The first event with these members, or None."""
        self.wait(lambda: self.events(**match), seconds)
        found = self.events(**match)
        return found[0] if found else None

    def status(self, quiet=False):
        p = subprocess.run([BPFWARDEN, "status", "--socket", self.socket, "--format", "json"], capture_output=True, text=True,
                           timeout=30, check=False)
        if p.returncode:
            if not quiet:
                bad("the guard answers", p.stderr)
            return None
        return json.loads(p.stdout)

    def settle(self, seconds=20):
        """Until everything that the kernel has reported was received."""
        def settled():
            s = self.status()
            return s and s["received"] == s["emitted"]
        return self.wait(settled, seconds)

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        try:
            return self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            return None


def fails_to_start(name, want_status, want_line, policy_path, options=(), prefix=()):
    """The guard must end at once with this status and exactly one line (a regular expression) on standard error."""
    with Guard(policy_path, name=re.sub(r"\W+", "_", name), options=[*WATCH, *options], wait=False, prefix=prefix) as g:
        try:
            status = g.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            bad(name, "the guard started")
            return
        lines = g.errors().splitlines()
        got = (status, len(lines), bool(lines and re.fullmatch(want_line, lines[-1])), len(g.events(kind="load")))
        check(name, (*got, lines) if got != (want_status, 1, True, 0) else got, (want_status, 1, True, 0))
