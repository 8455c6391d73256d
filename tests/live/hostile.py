#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Names that attack whoever shows them, and whether an output let them.

    hostile.py patch EXE NEW         a copy of tests/go/hostile with such names of functions, files, types and module
    hostile.py long                  its long.go, with names of 60,000 letters
    hostile.py check KIND:FILE...    prints what is wrong with them; KIND: text, tabs, folded, json, jsonl, html, gzip

Names keep their length, so all tables around them stay right. In each that does harm is the word OWNED.
"""
import gzip
import json
import re
import sys
import unicodedata
from html.parser import HTMLParser

NAMES = {
    b"ESCAPE": b"\x1b]0;OWNED\x07\x1b[2J\x1b[1;31m\x08\x7f",
    b"MARKUP": b"</script><x-owned onclick=OWNED>'\"&<!--",
    b"NEWLINE": b"a\nOWNED;owned 99999999\r\n\tOWNED: 1 \x0b\x0c",
    b"UNICODE": "\u202eOWNED\u200b\u2028\u009b31m\u2066".encode() + b"\xff\xc3\xe2\x80",
    b"QUOTES": b'","OWNED":[1],"x":"\\","\\u0007\\',
    b"TAG": b'\x1b[2J<x-owned>\n"}OWNED',
}
MODULE = b"gallop.test/hostile", b"gallop.test/\x1b[2J<b>"
NAME_MAX = 60000


def hostile_name(match):
    room = len(match[0])
    name = NAMES[match[1].upper()]
    return name + match[2].replace(b"_", b"") + b"x" * (room - len(name) - len(match[2].replace(b"_", b"")))


def patch(exe, new):
    with open(exe, "rb") as f:
        data = f.read()
    pattern = b"(?i:(" + b"|".join(NAMES) + rb"))(_FUNC|_FILE|)_{24,}"
    size = len(data)
    data, nr = re.subn(pattern, hostile_name, data)
    data = data.replace(*MODULE)
    assert nr > 20 and len(data) == size
    with open(new, "wb") as f:
        f.write(data)


def long_source():
    print("package main")
    print(f"type {'L' * NAME_MAX} struct{{ a, b, c, d, e, f inner }}")
    print(f"//go:noinline\nfunc {'f' * NAME_MAX}() {{ allocate[{'L' * NAME_MAX}]() }}")
    print(f"func long() {{ {'f' * NAME_MAX}() }}")


# What moves the cursor, hides or reorders text; half characters are no text at all.
def check_text(data, allowed="\n"):
    text = data.decode("utf-8")
    for c in text:
        assert c in allowed or unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp"), f"U+{ord(c):04X} is in it"
        assert not ("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" or "\u200b" <= c <= "\u200f"), f"U+{ord(c):04X} is in it"
    for line in text.split("\n"):
        assert not line.startswith("OWNED"), f"a line that isn't gallop's: {line[:80]}"
    return text


def check_folded(data):
    for line in check_text(data).splitlines():
        assert re.search(r"[^ ].* \d+$", line), f"no stack and number: {line[-80:]}"
        assert not line.endswith(" 99999999"), "a stack that isn't gallop's"


def no_owned_keys(pairs):
    assert not any(key.startswith("OWNED") for key, _ in pairs), "a member that isn't gallop's"
    assert len({key for key, _ in pairs}) == len(pairs), "a member is there twice"
    return dict(pairs)


def check_json(data):
    json.loads(check_text(data), object_pairs_hook=no_owned_keys)


def check_jsonl(data):
    for line in check_text(data).splitlines():
        json.loads(line, object_pairs_hook=no_owned_keys)


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        assert "owned" not in tag and not any("OWNED" in str(value) for _, value in attrs), f"<{tag} {attrs}>"
        self.open.append(tag)

    def handle_comment(self, data):
        assert "OWNED" not in data, "a comment that isn't gallop's"

    def handle_data(self, data):
        if self.open and self.open[-1] == "script" and data.lstrip().startswith("{"):
            json.loads(data, object_pairs_hook=no_owned_keys)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass


def check_html(data):
    page = Page()
    page.feed(check_text(data, "\n\t"))
    page.close()


def check_gzip(data):
    data = gzip.decompress(data)
    assert b"\x1b]0;" not in data and b"\nOWNED" not in data, "a name is in it as it was"


CHECKS = {
    "text": check_text,
    "tabs": lambda data: check_text(data, "\n\t"),
    "folded": check_folded,
    "json": check_json,
    "jsonl": check_jsonl,
    "html": check_html,
    "gzip": check_gzip,
}


def check(names):
    for name in names:
        kind, path = name.split(":", 1)
        with open(path, "rb") as f:
            data = f.read()
        try:
            CHECKS[kind](data)
        except (AssertionError, ValueError) as e:
            print(f"{path}: {e}")


def main():
    if sys.argv[1] == "patch":
        patch(*sys.argv[2:])
    elif sys.argv[1] == "long":
        long_source()
    else:
        check(sys.argv[2:])


if __name__ == "__main__":
    main()
