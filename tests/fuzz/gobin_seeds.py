#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write the seeds of the gobin fuzzer: 4 KB executables with all that Go's linker puts into 2 MB.

Usage: gobin_seeds.py DIR

Each has code to decode, a pclntab with an inline tree, a moduledata, a type and build info, in one
of the forms that Go 1.19 to 1.27 give them. Nothing in them runs.
"""
import struct
import sys

TEXT, RODATA, DATA, FILE_SIZE = 0x200, 0x400, 0xc00, 0x1180
RO_BASE, RW_BASE = 0x400000, 0x500000
FUNC_SIZE = 32
MEMSTATS, GC_CONTROLLER, ALLP, EMPTYMSPAN = (RW_BASE + 0x2000 + 0x100 * i for i in range(4))

MARKERS = {
    19: "runtime.(*gcCPULimiterState).update", 21: "runtime.tracebackPCs", 22: "runtime.randinit",
    23: "runtime.traceAdvance", 24: "runtime.mallocgcLarge", 25: "runtime.gcPrepareMarkRoots",
    26: "runtime.acquirepNoTrace", 27: "runtime.moduleTypelinks",
}


def uvarint(n):
    out = b""
    while n > 0x7f:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def pc_table(runs):
    """runs: (value, bytes of code)."""
    out, last = b"", -1
    for value, size in runs:
        delta = value - last
        out += uvarint(delta << 1 if delta >= 0 else (-delta << 1) - 1) + uvarint(size)
        last = value
    return out + b"\0"


def strings(names):
    table, offsets = b"", []
    for name in names:
        offsets.append(len(table))
        table += name.encode() + b"\0"
    return table, offsets


class Seed:
    def __init__(self, minor, pie=False, sections=True, buildinfo=True, version=None,
                 type_args=None, parent_pc=4, lines=((10, 8), (20, 8), (11, 16)), backwards=False):
        self.parent_pc, self.lines, self.backwards = parent_pc, list(lines), backwards
        self.minor, self.pie, self.sections, self.buildinfo = minor, pie, sections, buildinfo
        self.version = version or "go1.%d.1" % minor
        self.generic = type_args or "main.(*list[go.shape.int]).push"
        self.names = ["main.main", "runtime.(*mcache).refill",
                      "runtime.(*consistentHeapStats).acquire",
                      "runtime.(*gcControllerState).update", "runtime.preemptall", "crosscall2"]
        self.names += [name for m, name in MARKERS.items() if m <= minor]
        self.file = bytearray(FILE_SIZE)
        self.relocs = []

    def put(self, at, data):
        self.file[at:at + len(data)] = data

    def entry(self, i):
        return RO_BASE + TEXT + i * FUNC_SIZE

    def rip(self, opcode, at, target):
        """A 7-byte instruction at `at` with an operand relative to the next."""
        return opcode + struct.pack("<i", target - (at + 7))

    def text(self):
        at, code = self.entry(1), b""
        for opcode, target in (b"\x48\x8d\x35", EMPTYMSPAN), (b"\x48\x8d\x05", MEMSTATS):
            code += self.rip(opcode, at + len(code), target)
        code += b"\xe8" + struct.pack("<i", self.entry(2) - (at + len(code) + 5))
        code += self.rip(b"\x48\x8d\x05", at + len(code), GC_CONTROLLER)
        code += b"\xe8" + struct.pack("<i", self.entry(3) - (at + len(code) + 5))
        self.put(at - RO_BASE, code)
        at = self.entry(4)
        code = self.rip(b"\x48\x8b\x0d", at, ALLP) + self.rip(b"\x48\x8b\x15", at + 7, ALLP + 8)
        self.put(at - RO_BASE, code)

    def pclntab(self):
        old = self.minor < 20
        names, name_at = strings(self.names + [self.generic])
        files, file_at = strings(["/src/main.go", "/src/list.go"])
        cus = struct.pack("<3I", file_at[0], file_at[1], 0xffffffff)
        tables, pctab = [], b"\0"
        for runs in ([(0, 4), (24, 20), (0, 8)], [(0, 8), (1, 24)], self.lines,
                     [(-1, 8), (0, 8), (-1, 16)]):
            tables.append(len(pctab))
            pctab += pc_table(runs)
        n = len(self.names)
        func_at, funcs = [], b""
        for i in range(n):
            func_at.append(n * 8 + 4 + len(funcs))
            func = struct.pack("<IIIIIIIII", i * FUNC_SIZE, name_at[i], 0, 0, tables[0], tables[1],
                               tables[2], 3 if i == 0 else 0, 0)
            if not old:
                func += struct.pack("<I", 10)
            func += struct.pack("<BBBB", 0, 0, 0, 4 if i == 0 else 0)
            if i == 0:
                func += struct.pack("<III", 0, 0, tables[3])
                func += struct.pack("<IIII", 0xffffffff, 0xffffffff, 0xffffffff, 0)
            funcs += func
        if self.backwards:
            func_at.reverse()
        functab = b"".join(struct.pack("<II", i * FUNC_SIZE, at) for i, at in enumerate(func_at))
        functab += struct.pack("<I", n * FUNC_SIZE)
        parts, at, offsets = [names, cus, files, pctab, functab + funcs], 72, []
        for i, part in enumerate(parts):
            part += b"\0" * (-len(part) % 8)
            parts[i] = part
            offsets.append(at)
            at += len(part)
        start = RO_BASE + TEXT if self.minor < 26 and not self.pie else 0
        magic = 0xfffffff0 if old else 0xfffffff1
        header = struct.pack("<IHBBQQQ5Q", magic, 0, 1, 8, n, 2, start, *offsets)
        blob = header + b"".join(parts)
        self.put(RODATA, blob)
        self.inline_name = name_at[n]
        self.names_va, self.names_len = RO_BASE + RODATA + offsets[0], len(names)
        return (RODATA + len(blob) + 15) & ~15

    def inline_tree(self, at):
        if self.minor < 20:
            tree = struct.pack("<hBBiiii", -1, 0, 0, 0, 0, self.inline_name, self.parent_pc)
        else:
            tree = struct.pack("<Iiii", 0, self.inline_name, self.parent_pc, 10)
        self.put(at, tree)
        return at + 32

    def types(self, at):
        """A type called "main.node"; its shared name has a star in front."""
        typ = struct.pack("<QQIBBBBQQII", 24, 8, 0x1234, 2, 8, 8, 25, 0, 0, 56, 0)
        self.put(at, typ + b"\0" * 8 + b"\0" + uvarint(10) + b"*main.node")
        return at + 80

    def word(self, at, value):
        self.put(at, struct.pack("<Q", 0 if self.pie else value))
        self.relocs.append((at - DATA + RW_BASE + DATA, value))

    def moduledata(self, at, types, types_end, gofunc):
        text = RO_BASE + TEXT
        self.word(at, RO_BASE + RODATA)
        self.word(at + 8, self.names_va)
        self.put(at + 16, struct.pack("<QQ", self.names_len, self.names_len))
        self.word(at + 0xb0, text)
        self.word(at + 0xb8, text + len(self.names) * FUNC_SIZE)
        at_types, at_etypes, at_gofunc = (0x118, 0x120, 0x130) if self.minor < 20 else \
            (0x128, 0x130, 0x140) if self.minor < 27 else (0x128, 0x138, 0x158)
        self.word(at + at_types, RO_BASE + types)
        self.word(at + at_etypes, RO_BASE + types_end)
        self.word(at + at_gofunc, RO_BASE + gofunc)

    def build_info(self, at):
        mod = "path\texample.com/seed\nmod\texample.com/seed\tv1.2.3\th1:x\nbuild\t-compiler=gc\n"
        mod = b"<" * 16 + mod.encode() + b">" * 16
        version = self.version.encode()
        self.put(at, b"\xff Go buildinf:\x08\x02" + b"\0" * 16 + uvarint(len(version)) + version +
                 uvarint(len(mod)) + mod)

    def write(self, path):
        self.text()
        at = gofunc = self.pclntab()
        types = self.inline_tree(at)
        types_end = self.types(types)
        build_at, module_at = DATA, DATA + 0x100
        if self.buildinfo:
            self.build_info(build_at)
        self.moduledata(module_at, types, types_end, gofunc)
        rela = types_end
        if self.pie:
            for va, addend in self.relocs:
                self.put(rela, struct.pack("<QQq", va, 8, addend))
                rela += 24
        assert rela <= DATA
        self.headers(build_at, module_at, types_end, rela)
        with open(path, "wb") as f:
            f.write(self.file)

    def headers(self, build_at, module_at, rela, rela_end):
        dynamic = DATA + 0x380
        self.put(dynamic, struct.pack("<6Q", 7, RO_BASE + rela, 8, rela_end - rela, 9, 24))
        phdrs = [(1, 5, 0, RO_BASE, TEXT + 0x200, TEXT + 0x200),
                 (1, 4, RODATA, RO_BASE + RODATA, DATA - RODATA, DATA - RODATA),
                 (1, 6, DATA, RW_BASE + DATA, 0x400, 0x4000)]
        if self.pie:
            phdrs.append((2, 6, dynamic, RW_BASE + dynamic, 64, 64))
        for i, (kind, flags, off, va, filesz, memsz) in enumerate(phdrs):
            self.put(64 + 56 * i, struct.pack("<IIQQQQQQ", kind, flags, off, va, va, filesz, memsz,
                                              0x100))
        names = ["", ".gopclntab", ".go.buildinfo",
                 ".go.module" if self.minor >= 26 else ".noptrdata", ".shstrtab"]
        table, name_at = strings(names)
        shdrs_at, table_at = FILE_SIZE - 64 * 5 - 0x40, FILE_SIZE - 0x40
        places = [(0, 0, 0), (RO_BASE + RODATA, RODATA, DATA - RODATA),
                  (RW_BASE + build_at, build_at, 0x100), (RW_BASE + module_at, module_at, 0x280),
                  (0, table_at, len(table))]
        self.put(table_at, table)
        for i, (va, off, size) in enumerate(places):
            kind = 0 if i == 0 else 3 if i == 4 else 1
            self.put(shdrs_at + 64 * i, struct.pack("<IIQQQQIIQQ", name_at[i], kind, 2 if va else 0,
                                                    va, off, size, 0, 0, 8, 0))
        self.put(0, b"\x7fELF\2\1\1" + b"\0" * 9 + struct.pack(
            "<HHIQQQIHHHHHH", 3 if self.pie else 2, 62, 1, self.entry(0), 64,
            shdrs_at if self.sections else 0, 0, 64, 56, len(phdrs), 64, 5 if self.sections else 0,
            4 if self.sections else 0))


def main():
    out = sys.argv[1]
    for minor in range(19, 28):
        Seed(minor).write("%s/go1.%d" % (out, minor))
        Seed(minor, buildinfo=False).write("%s/go1.%d-nobuildinfo" % (out, minor))
    Seed(19, pie=True, sections=False).write(out + "/go1.19-pie-nosections")
    Seed(25, pie=True).write(out + "/go1.25-pie")
    Seed(27, pie=True).write(out + "/go1.27-pie")
    Seed(23, sections=False, buildinfo=False).write(out + "/go1.23-bare")
    Seed(27, type_args="main.(*list[go.shape.int]).mapped[go.shape.[]uint8].func1").write(
        out + "/go1.27-generic-method")
    Seed(25, version="go1.25.1 X:noswissmap,greenteagc").write(out + "/go1.25-experiments")
    Seed(26, version="go1.26.1-X:madeup").write(out + "/go1.26-unknown-experiment")
    # What makes a reader that believes it take long.
    Seed(25, backwards=True).write(out + "/go1.25-backwards")
    for minor in 19, 25:
        Seed(minor, parent_pc=9).write("%s/go1.%d-inline-loop" % (out, minor))
    Seed(25, lines=[(10, 8)] + [(11 + i % 2, 0) for i in range(60)] + [(20, 24)]).write(
        out + "/go1.25-zero-steps")
    Seed(24, version="go1.28.1").write(out + "/go1.28")


main()
