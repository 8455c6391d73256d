#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bring the seeds of recordings to the format of another one, which this tree has written.

    tests/fuzz/recording_seeds.py RECORDING

Tables and views that a seed lacks or has otherwise are made as RECORDING has them; rows stay where the columns
are the same, or there are more of them: those are 0. Pages are of 512 bytes, which keeps the seeds small.
"""
import os
import sqlite3
import sys

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "recording")
CUT_SZ = 25000  # of the seed "cut": the beginning of "full"


def schema(db):
    return dict(db.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid"))


def columns(db, table):
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]


def convert(path, model):
    seed = sqlite3.connect(path)
    rows = {}
    for name, sql in schema(seed).items():
        if sql.startswith("CREATE TABLE"):
            rows[name] = (columns(seed, name), seed.execute(f"SELECT * FROM {name}").fetchall())
    seed.close()
    new = path + ".new"
    db = sqlite3.connect(new)
    db.execute("PRAGMA page_size=512")
    for pragma in "application_id", "user_version":
        db.execute(f"PRAGMA {pragma}={model.execute('PRAGMA ' + pragma).fetchone()[0]}")
    for name, sql in schema(model).items():
        db.execute(sql)
        old, values = rows.get(name, ([], []))
        if values and old == columns(db, name):
            db.executemany(f"INSERT INTO {name} VALUES({', '.join('?' * len(old))})", values)
        elif values and set(old) < set(columns(db, name)):
            # What is new was 0, or there was none of it.
            new_nr = len(columns(db, name)) - len(old)
            names = old + [column for column in columns(db, name) if column not in old]
            marks = ", ".join("?" * len(old) + "0" * new_nr)
            db.executemany(f"INSERT INTO {name}({', '.join(names)}) VALUES({marks})", values)
        elif values:
            print(f"{path}: {len(values)} rows of '{name}' are left out: its columns are others", file=sys.stderr)
    db.commit()
    db.execute("VACUUM")
    db.close()
    os.replace(new, path)


def main():
    model = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    for name in sorted(os.listdir(SEEDS)):
        path = os.path.join(SEEDS, name)
        with open(path, "rb") as f:
            whole = f.read(16) == b"SQLite format 3\0" and os.path.getsize(path) > 512
        if whole and name != "cut":
            convert(path, model)
    with open(os.path.join(SEEDS, "full"), "rb") as f, open(os.path.join(SEEDS, "cut"), "wb") as cut:
        cut.write(f.read(CUT_SZ))


main()
