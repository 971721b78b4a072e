# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""For tests of the formats: the golden events, and events with hostile text in each member."""
import json
import os
import subprocess

BUILD = os.environ.get("BUILD", "build")
HOSTILE = [
    "plain", "", "a\nb", "a\r\nb", "\"", "'", "\\", "\\\\n", "\\u001b", "|", "a|b|c", "=", "a=b", "]", "[x y=\"z\"]", "\\]", "\t", "a\tb=c", ",", "a,b",
    "\x01\x02\x1b[2J\x7f", "\x80\x85\x9f", "\u2028\u2029", "\u202e", "\u00e9\U0001f600", "\ufffd", "}", "\"},{\"x\":1", " act=allowed ", "<10>1 - x",
    "CEF:0|x|y|z|1|n|9|act=allowed", "\n\nMESSAGE=x\n", "@cee: {}", "%s%n", "x" * 65536, "\n" * 3000, "\\\"" * 20000, "end\\",
]


def events():
    out = []
    for name in sorted(os.listdir("tests/golden/alert")):
        out.append(json.load(open(f"tests/golden/alert/{name}", encoding="utf-8")))
    base = json.load(open("tests/golden/alert/load-watched.json", encoding="utf-8"))
    words = [k for k, v in base.items() if isinstance(v, str) and k not in ("time",)]
    for key in words:
        for i, text in enumerate(HOSTILE):
            if len(text) < 1000 or key in ("prog_name", "rule", "host", "loader_exe", "uid"):
                out.append({**base, "seq": 1000 + i, key: text})
    for text in HOSTILE:
        out.append({**base, "helpers": ["a", text, "b"], "attack": [text], "kfuncs": []})
        out.append({"v": 1, "seq": 3, "uid": "x-1", "kind": "guard", "severity": "low", "rule": "guard.x", "message": text, "id": text, "level": -5,
                    "ok": True, "no": False, "a_member_with_a_very_long_name_indeed": text})
    return out


def convert(fmt, data):
    p = subprocess.run([f"{BUILD}/bpfwarden", "events", "--input", "-", "--format", fmt], input=data, capture_output=True, timeout=120, check=False)
    if p.returncode:
        raise ValueError(f"exit status {p.returncode}: {p.stderr!r}")
    return p.stdout


def lines(all_events):
    """As the guard might write them: with characters as they are, and escaped."""
    return "".join(json.dumps(e, ensure_ascii=i % 2 == 0, separators=(",", ":")) + "\n" for i, e in enumerate(all_events)).encode()
