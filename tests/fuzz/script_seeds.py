#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write the seeds of the fuzzers whose input is a script, a text or a memory: all but executables and recordings.

    tests/fuzz/script_seeds.py

What each input means is told at the top of its fuzzer. The corpora hold more than these: what fuzzing has found to
lead somewhere else, see `make fuzz`.
"""
import json
import os
import struct

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
BASE = 0xC000000000
NASTY = [b"\x1b]0;x\x07\x1b[2J", b"</script><b>", b"a\nb;c 1", "\u202eevil\u200b".encode(), b"\xff\xc2\x9b31m", b"x" * 700]


def write(fuzzer, name, data):
    os.makedirs(os.path.join(CORPUS, fuzzer), exist_ok=True)
    with open(os.path.join(CORPUS, fuzzer, name), "wb") as f:
        f.write(data)


def u64(*v):
    return struct.pack(f"<{len(v)}Q", *(x % 2**64 for x in v))


# --- options ---------------------------------------------------------------------------------------------------

def options():
    lines = {
        "record": "record -p 1 -o x.gallop -d 10s --max-size 64M --depth 64 --sites-max 1000 --goroutines",
        "report": "report x.gallop -f html -o x.html --value objects --from 1s --to 2m --top 5 --stacks",
        "top": "top --pid=99 --batch --iterations 3 --theme mono --delay 0.5 --budget 2%",
        "op": "op -f main.* -f (*T).Do --compare main.a x.gallop -- ./a b",
        "diff": "diff a.gallop b.gallop --per op:main.f --fail-if alloc_space>+5% --fail-if pause<-2ms",
        "heap": "heap -p 12 --duration 1h --json",
        "unknown": "rport x.gallop",
        "typo": "record --durtion 3",
        "help": "gc --help",
        "usage": "maps --usage",
        "many": "op " + "-f a " * 40,
        "dashes": "gc --",
        "escape": "top --mode \x1b[2J\x9b31m\u202e",
        "escape-command": "to\x1b[2Jp",
        "escape-option": "record --dur\x1b[2Jation\x9b 3",
        "escape-limit": "diff a b --fail-if \x1b]0;x\x07\rpause",
    }
    for name, line in lines.items():
        write("options", name, line.replace(" ", "\n").encode())


# --- texts -----------------------------------------------------------------------------------------------------

def kubernetes(container, pod, namespace):
    keys = {container: "app", pod: "web-0", namespace: "shop"}
    return json.dumps({"annotations": {f"io.kubernetes.{key}": name for key, name in keys.items()}}).encode()


def texts():
    cid = b"0123456789abcdef" * 4
    seeds = {
        "limit": b"\0alloc_space > +5%",
        "limit-ns": b"\0pause<-2.5ms",
        "cgroup": b"\1" + b"0::/kubepods.slice/cri-containerd-" + cid + b".scope\n",
        "cgroup-v1": b"\1" + b"12:cpu,cpuacct:/docker/" + cid + b"\n1:name=systemd:/libpod-conmon-" + cid + b"\n",
        "comm": b"\2) R 1 2 (\n",
        "comm-escape": b"\2\x1b[2J\xff",
        "clean": b"\3\x08" + b"".join(NASTY),
        "name": b"\4main.(*T[...]).Do\nmain.(*T[go.shape.int]).Do",
        "glob": b"\4*a*a*a*a*b\n" + b"a" * 60,
        "pattern": b"\5!(a|b)+[[:alpha:]]{2,5}\nmain.abba",
        "names-docker": b'\6\0web\n{"Name":"/web"}',
        "names-kubernetes": b"\6\1shop/web-0/app\n" + kubernetes("cri.container-name", "cri.sandbox-name", "cri.sandbox-namespace"),
        "names-crio": b"\6\1web-0/app\n" + kubernetes("container.name", "pod.name", "pod.namespace"),
        "names-nerdctl": b'\6\1web\n{"annotations":{"nerdctl/name":"web"}}',
        "names-types": b'\6\0012/3\n{"annotations":{"io.kubernetes.container.name":3,"io.kubernetes.pod.name":[2],"nerdctl/name":null}}',
        "names-storage": b'\6\2web\n[{"id":"' + cid + b'","names":["we\\u0301b","\\ud800","\xff","web"]},{"id":5,"names":{}},null]',
        "names-deep": b'\6\0web\n{"Name":' + b"[" * 300,
        "names-nul": b'\6\0web\n{"Name":"web\0"}\0',
    }
    for name, data in seeds.items():
        write("text", name, data)


# --- the live view ---------------------------------------------------------------------------------------------

KEY, SPECIAL, TEXT, FRAME, RESIZE, END = (bytes([i]) for i in range(6))


def tui():
    for flags, name in enumerate(["full", "gc", "heap", "maps", "ops", "samples"]):
        write("tui", name, bytes([flags]) + b"12345" + FRAME + b"2nrb<>/" + TEXT + b"main\n" + b"cm" + FRAME + b"d" + SPECIAL
              + b"\1\n" + b"+-*" + RESIZE + b"\x18\x50" + b"?" + b"q" + END + FRAME)
    names = b"".join(n.replace(b"\0", b"") + b"\0" + m + b"\0" + bytes([7, i, 1, 0]) + u64(100 * i + 1)
                     for i, (n, m) in enumerate(zip(NASTY * 2, NASTY[::-1] * 2)))
    write("tui", "names", b"\x08" + names + b"12" + FRAME + b"1\n/" + TEXT + b"[\n" + b"\\" + TEXT + b"!x+\n")
    write("tui", "names-ascii", b"\x28" + names + b"12s" + TEXT + b"/dev/null\n" + RESIZE + b"\0\0" + RESIZE + b"\xff\xff")
    write("tui", "no-frame", b"\x80" + b"12345/" + TEXT + b"a\n" + b"cmd" + FRAME)


# --- what the kernel tells -------------------------------------------------------------------------------------

EVENT, SITE, ASSIST, MAP_SITE, MAP, MEMORY, OP, WINDOW, DRAIN, INTERVAL, RATE = (bytes([i]) for i in range(11))
SAMPLED, BY_GOROUTINE, WINDOWS, MAPS, READER = 1, 2, 4, 8, 16


def event(kind, body, size=None):
    data = struct.pack("<HHIQ", kind, 16 + len(body) if size is None else size, 1, 1000) + body
    return EVENT + struct.pack("<H", len(data)) + data


def stack(hash_, pcs, size=None):
    return event(1, struct.pack("<QIIQ", hash_, len(pcs), 0, 0) + u64(*pcs), size)


def site(stack_hash, typ, size_class, objects, nbytes, ops=0):
    return SITE + struct.pack("<QQQII", stack_hash, typ, 0, size_class, ops) + u64(objects, nbytes, 1)


def window(number, whole=2, maps_only=0):
    return WINDOW + bytes([number, whole | maps_only]) + u64(0, 2 * 10**7, 10**6, 2 * 10**6, 10**7, 40, 50, 3)


def sample(place, stack_hash, typ, window_nr, size_class, objects=1, nbytes=64):
    return event(5, struct.pack("<QQQQQIHH", stack_hash, typ, 7, objects, nbytes, window_nr, place, size_class))


def stream():
    words = [int.from_bytes((n + b"\0" * 8)[:8], "little") for n in NASTY]
    stacks = b"".join(stack(100 + i, [w, w + 8, words[0]]) for i, w in enumerate(words))
    ops = u64(words[0], words[1])
    stop = event(3, struct.pack("<QQQQBBBBIQQ", 900, 950, 100, 1, 3, 0, 1, 0, 0, 5000, 9000))
    cycle = event(4, struct.pack("<IIQQQQQQQQQQ", 7, 4, 100, 1000, 4000, 8000, 9000, 1, 2, 3, 4, 0))
    sites = site(100, words[1] | 8, 1, 3, 24) + site(101, 0, 0, 2, 70000) + site(1, words[2], 68, 5, 15)
    map_site = MAP_SITE + u64(102, words[3]) + u64(*range(1, 21))
    one_map = MAP + u64(BASE, words[3], 77, 102, 10, 20, 9, 12, 12, 103, 0, 104, 500, 9, 3, 0, 0, 1, 640, 0, 0,
                        9 << 32 | 12, 0)
    memory = MEMORY + b"\6" + u64(BASE, 77, 9, 640)
    write("stream", "exact", bytes([BY_GOROUTINE]) + ops + b"\6" + sites + stacks + DRAIN + stop + cycle + ASSIST
          + u64(103, 2, 500) + DRAIN + INTERVAL + u64(1 << 32) + sites)
    write("stream", "maps", bytes([MAPS | READER]) + ops + b"\0" + map_site + one_map + memory + stacks + DRAIN + memory + DRAIN)
    write("stream", "sampled", bytes([SAMPLED | MAPS]) + u64(5000) + b"\0" + stacks + sample(28, 100, 0, 1, 5, 30)
          + sample(1, 101, words[1], 1, 5) + sample(12, 102, words[3], 1, 0, nbytes=BASE) + window(1) + RATE + u64(524288)
          + sample(29, 103, 0, 0, 0, nbytes=1 << 20) + DRAIN + INTERVAL + u64(1 << 32) + window(2, maps_only=1))
    write("stream", "ops", bytes([WINDOWS]) + ops + b"\0" + OP + b"\0" + struct.pack("<H", 300) + u64(4)
          + u64(*range(2, 18)) + window(1) + DRAIN + window(2))
    write("stream", "sizes", b"\0" + ops + b"\0" + stack(5, [1, 2], 8) + stack(6, [1], 4096) + event(2, b"", 3) + event(9, b"x")
          + EVENT + b"\3\0abc" + event(6, u64(*range(70))) + event(2, struct.pack("<IIQQQQQ", 4, 2, 0, 10, 9, 90, 1)))


# --- executables with a few bytes changed ----------------------------------------------------------------------

def symbol():
    spots = struct.pack("<" + "7H" * 8, *(i * 23 % 400 for i in range(56)))
    for exe in range(8):
        write("symbol", f"good-{exe}", bytes([exe, 0]) + spots)
        changes = b"".join(struct.pack("<HB", 600 + 97 * i, len(n[:60])) + n[:60] for i, n in enumerate(NASTY))
        write("symbol", f"names-{exe}", bytes([exe, len(NASTY)]) + changes + spots)


# --- a target's memory -----------------------------------------------------------------------------------------

GO_1_27 = 7
GO_1_23 = 3
EVERYWHERE, CHANGES, SWISS = 1, 2, 4
DELTA = 1168  # bytes of a heapStatsDelta in Go 1.27


class Memory:
    def __init__(self):
        self.bytes = bytearray()

    def put(self, at, data):
        self.bytes.extend(bytes(max(0, at + len(data) - len(self.bytes))))
        self.bytes[at:at + len(data)] = data

    def write(self, name, reader, version, lies):
        write("memory", name, bytes([reader, version, lies]) + bytes(self.bytes))


def span(m, at, **fields):
    """A runtime.mspan of Go 1.22 to 1.27."""
    f = dict(start=0, npages=1, freeindex=5, nelems=100, alloc=0, marks=0, sweepgen=0, count=0, span_class=0, state=1,
             before=0, elemsize=48)
    f.update(fields)
    m.put(at + 0x18, u64(f["start"], f["npages"]))
    m.put(at + 0x30, struct.pack("<HH", f["freeindex"], f["nelems"]))
    m.put(at + 0x40, u64(f["alloc"], f["marks"]))
    m.put(at + 0x58, struct.pack("<I", f["sweepgen"]))
    m.put(at + 0x60, struct.pack("<HBBHH", f["count"], f["span_class"], f["state"], 0, f["before"]))
    m.put(at + 0x68, u64(f["elemsize"]))


def memstats():
    m = Memory()
    m.put(DELTA // 2, u64(10, 20))
    m.put(3 * DELTA, struct.pack("<I", 1))
    m.put(8192, u64(BASE + 8300, 1, 1))  # allp
    m.put(8300, u64(BASE + 8400))  # a P
    m.put(8400 + 0x38, u64(BASE + 9000))  # its mcache
    m.put(9000 + 0x28, u64(3))
    m.put(9000 + 0x30, u64(*[BASE + 12000] * 136))
    m.put(9000 + 0x30 + 8 * 10, u64(BASE + 12200))  # a span of class 5
    m.put(9000 + 0x8F0, struct.pack("<I", 40))
    span(m, 12000)
    span(m, 12200, sweepgen=43, count=30, before=20, span_class=10)
    for lies in 0, EVERYWHERE, CHANGES:
        m.write(f"memstats-{lies}", 0, GO_1_27, lies)


def heap(m):
    """The page of the whole memory is one span's, of which there is an arena."""
    m.put(0, struct.pack("<IIQ", 40, 0, BASE + 24))  # sweepgen, arenas
    m.put(24, u64(BASE + 7168))
    m.put(7168, u64(*[BASE + 100] * 16))  # heapArena.spans
    span(m, 100, start=BASE, npages=16, sweepgen=40, alloc=BASE + 300, marks=BASE + 320)


def heaps():
    m = Memory()
    heap(m)
    for lies in 0, EVERYWHERE, CHANGES:
        m.write(f"heap-{lies}", 1, GO_1_27, lies)


def maps():
    m = Memory()
    heap(m)
    m.put(512 + 23, b"\x15")  # a map's type, of groups of 136 bytes
    m.put(512 + 0x40, u64(BASE + 640))
    m.put(512 + 0x50, u64(136))
    m.put(640, u64(136, 8))
    for i in range(8):
        if i % 2:  # a directory of two tables
            m.put(1024 + 64 * i, u64(20, 7, BASE + 4096, 2) + b"\1")
        else:  # a group
            m.put(1024 + 64 * i, u64(5, 7, BASE + 5000, 0))
    m.put(4096, u64(BASE + 4200, BASE + 4300))
    for at in 4200, 4300:
        m.put(at, struct.pack("<HHHBBQQQ", 10, 16, 4, 1, 0, 0, BASE + 5000, 1))
    for lies in SWISS, SWISS | EVERYWHERE, SWISS | CHANGES:
        m.write(f"swiss-{lies}", 2, GO_1_27, lies)
    m = Memory()
    heap(m)
    for i in range(8):  # count, flags, B, noverflow, hash0, buckets, oldbuckets, nevacuate, extra
        m.put(1024 + 64 * i, struct.pack("<QBBHIQQQQ", 40, 0, 4, 3, 99, BASE + 4096, BASE + 4200 if i % 2 else 0, 2, BASE + 6000))
    m.put(6000, u64(BASE + 6100, BASE + 6200, 0))
    m.put(6100, u64(BASE + 6300, 2, 4))
    m.put(6200, u64(BASE + 6300, 1, 1))
    for lies in 0, EVERYWHERE, CHANGES:
        m.write(f"classic-{lies}", 2, GO_1_23, lies)


def profile():
    for name, last in ("list", 0), ("circle", BASE + 1000):
        m = Memory()
        m.put(0, u64(BASE + 1000, 7 << 1, 524288))  # mbuckets, mProfCycle, MemProfileRate
        for i in range(4):
            at = 1000 + 256 * i
            m.put(at, u64(0, BASE + at + 256 if i < 3 else last, 1, 5, 48 << i, 2))
            m.put(at + 48, u64(0x401000 + i, 0x402000) + u64(9, 2, 1, 0, 2, 1, 3, 1))
        for lies in 0, EVERYWHERE, CHANGES:
            m.write(f"profile-{name}-{lies}", 3, GO_1_27, lies)


def main():
    for make in options, texts, tui, stream, symbol, memstats, heaps, maps, profile:
        make()


if __name__ == "__main__":
    main()
