# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""For tests that kill: receivers of every kind of sink that keep what they were sent by uid, the records of the spool, read by a parser that shares
nothing with the product, and the verdict."""
import glob
import json
import os
import random
import struct
import subprocess
import threading
import zlib

from sinklib import BUILD, WORK, Http, Tcp, check, check_true, wait

MOCK = f"{BUILD}/tools/bwkafka"


class Inbox:
    """What a receiver was sent: the hash of the event by its uid."""

    def __init__(self):
        self.by_uid, self.twice, self.wrong = {}, 0, []

    def take(self, uid, content):
        self.twice += uid in self.by_uid
        if self.by_uid.setdefault(uid, content) != content:
            self.wrong.append((uid, content))

    def native(self, text):
        e = json.loads(text)
        self.take(e["uid"], e["hash"])


def lines(body):
    return [json.loads(x) for x in body.decode().splitlines()]


class Receivers:
    """One of each kind, and the settings of the sinks that deliver to them."""

    def __init__(self):
        self.boxes = {n: Inbox() for n in ("hec", "es", "otlp", "falco", "hook", "kafka", "tcp", "file")}
        self.servers = {n: Http(getattr(self, n)) for n in ("hec", "es", "otlp", "falco", "hook")}
        url = {k: f"http://127.0.0.1:{s.port}" for k, s in self.servers.items()}
        self.tcp = Tcp()
        self.mock = subprocess.Popen([MOCK, "events"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        brokers = self.mock.stdout.readline().split()[1]
        threading.Thread(target=lambda: [self.boxes["kafka"].native(x) for x in self.mock.stdout], daemon=True).start()
        with open(f"{WORK}/token", "w", encoding="utf-8") as f:
            f.write("token\n")
        os.mkdir(f"{WORK}/log")
        os.chmod(f"{WORK}/log", 0o777)
        self.sinks = [
            {"name": "hec", "type": "hec", "url": url["hec"] + "/services/collector/event", "secret_file": f"{WORK}/token"},
            {"name": "es", "type": "elasticsearch", "url": url["es"] + "/_bulk"},
            {"name": "otlp", "type": "otlp", "url": url["otlp"] + "/v1/logs"},
            {"name": "falco", "type": "falcosidekick", "url": url["falco"] + "/"},
            {"name": "hook", "type": "webhook", "url": url["hook"] + "/"},
            {"name": "kafka", "type": "kafka", "address": brokers, "topic": "events"},
            {"name": "tcp", "type": "syslog", "address": f"127.0.0.1:{self.tcp.port}", "format": "native"},
            {"name": "file", "type": "file", "path": f"{WORK}/log/out", "rotate_bytes": 4 << 20, "keep": 100}]

    def hec(self, r):
        self.servers["hec"].requests.clear()
        if "/ack?" in r["path"]:
            return 200, {"acks": {str(i): True for i in json.loads(r["body"])["acks"]}}
        for e in lines(r["body"]):
            self.boxes["hec"].take(e["event"]["uid"], e["event"]["hash"])
        return 200, {"text": "Success", "code": 0, "ackId": random.randrange(1 << 40)}

    def es(self, r):
        self.servers["es"].requests.clear()
        rows, items = lines(r["body"]), []
        for a, e in zip(rows[::2], rows[1::2]):
            items.append({"create": {"status": 409 if a["create"]["_id"] in self.boxes["es"].by_uid else 201}})
            self.boxes["es"].take(a["create"]["_id"], e["bpfwarden"]["hash"])
        return 200, {"errors": False, "items": items}

    def otlp(self, r):
        self.servers["otlp"].requests.clear()
        for resource in json.loads(r["body"])["resourceLogs"]:
            for record in resource["scopeLogs"][0]["logRecords"]:
                a = {x["key"]: x["value"] for x in record["attributes"]}
                self.boxes["otlp"].take(a["bpfwarden.uid"]["stringValue"], a["bpfwarden.hash"]["stringValue"])
        return 200, {}

    def falco(self, r):
        self.servers["falco"].requests.clear()
        e = json.loads(r["body"])["output_fields"]
        self.boxes["falco"].take(e["uid"], e["hash"])
        return 200, {}

    def hook(self, r):
        self.servers["hook"].requests.clear()
        for e in lines(r["body"]):
            self.boxes["hook"].take(e["uid"], e["hash"])
        return 200, {}

    def verdict(self, committed, seed):
        """Against what the spool held: {number: (uid, hash)}."""
        wait(lambda: len(committed) <= len(self.boxes["kafka"].by_uid), 30)
        for m in self.tcp.messages:
            self.boxes["tcp"].native(m)
        cut = 0
        for path in sorted(glob.glob(f"{WORK}/log/out*")):
            for text in open(path, encoding="utf-8"):
                try:
                    self.boxes["file"].native(text)
                except ValueError:
                    cut += 1
        self.mock.kill()
        self.mock.wait()
        for name, box in self.boxes.items():
            missing = [n for n, (uid, content) in committed.items() if box.by_uid.get(uid) != content]
            check_true(f"{name}: has all that was committed", not missing, f"seed {seed}: {len(missing)} of {len(committed)} missing: {missing[:10]}")
            check(f"{name}: what came twice is the same event", box.wrong[:3], [])
        check("no line of the file is cut", cut, 0)
        return {n: b.twice for n, b in self.boxes.items()}


class Spool:
    """The records of a spool (guard/sinks/spool_record.h). keep() keeps its files in sight: those that are removed after all have read them, too."""

    def __init__(self, state):
        self.dir, self.saved = f"{state}/spool/events", f"{WORK}/saved"
        os.mkdir(self.saved)
        self.committed, self.damage, self.offsets = {}, [], {}

    def keep(self):
        for path in glob.glob(f"{self.dir}/*.seg"):
            try:
                os.link(path, f"{self.saved}/{os.path.basename(path)}")
            except OSError:
                pass

    def read(self):
        """The whole ones beyond those that were read before. Only while nobody writes."""
        self.keep()
        for path in sorted(glob.glob(f"{self.saved}/*.seg")):
            at = self.offsets.get(path, 0)
            with open(path, "rb") as seg:
                seg.seek(at)
                data = seg.read()
            i = 0
            while len(data) - i >= 32:
                magic, length, number, _, _, _, crc = struct.unpack_from("<IIQqB3sI", data, i)
                if len(data) - i - 32 < length:
                    break
                payload = data[i + 32:i + 32 + length]
                if zlib.crc32(data[i:i + 28] + payload) != crc:
                    self.damage.append((path, at + i, magic))
                    break
                e = json.loads(payload)
                if self.committed.setdefault(number, (e["uid"], e["hash"])) != (e["uid"], e["hash"]):
                    self.damage.append((number, "is two events"))
                i += 32 + length
            self.offsets[path] = at + i

    def verdict(self, at_least):
        c = self.committed
        check("no record of the spool is damaged, no number is two events", self.damage, [])
        check("no number was given up", [n for n in range(1, max(c, default=0) + 1) if n not in c][:10], [])
        check("each event has a uid of its own", len({u for u, _ in c.values()}), len(c))
        check_true("there was load", len(c) > at_least, len(c))
