"""An SQLite database in WAL mode that one connection writes and another one reads, without an end.

Each transaction moves one from a row to another, so that their sum never changes. Ends when its input ends; prints what
went wrong, and how many transactions there were, as JSON.
"""

import json
import select
import sqlite3
import sys

path = sys.argv[1]
writer = sqlite3.connect(path, isolation_level=None)
writer.execute("pragma journal_mode = wal")
writer.execute("pragma synchronous = full")
writer.execute("pragma wal_autocheckpoint = 20")
writer.execute("create table account (id integer primary key, amount integer, filler blob)")
writer.executemany("insert into account values (?, 1000, zeroblob(500))", [(number,) for number in range(100)])
reader = sqlite3.connect(path, isolation_level=None)
print("ready", flush=True)

wrong: list[str] = []
done = 0
while not select.select([sys.stdin], [], [], 0.002)[0] and not wrong:
    source, target = done % 100, (done * 7 + 1) % 100
    try:
        writer.execute("begin immediate")
        writer.execute("update account set amount = amount - 1 where id = ?", (source,))
        writer.execute("update account set amount = amount + 1 where id = ?", (target,))
        writer.execute("insert into account values (null, 0, randomblob(500))")
        writer.execute("commit")
        (total,) = reader.execute("select sum(amount) from account").fetchone()
        if total != 100_000:
            wrong.append(f"the sum is {total} after {done} transactions")
    except sqlite3.Error as error:
        wrong.append(f"{error} after {done} transactions")
    done += 1

(check,) = writer.execute("pragma integrity_check").fetchone()
(rows,) = writer.execute("select count(*) from account").fetchone()
if check != "ok":
    wrong.append(f"integrity check: {check}")
if rows != 100 + done:
    wrong.append(f"{rows} rows after {done} transactions")
print(json.dumps({"wrong": wrong, "rounds": done}))
