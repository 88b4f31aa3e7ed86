/*
 * Programs in Python that a fault in files is injected under. Each says `ready`, goes on until its input ends, and
 * prints as JSON what went wrong and how much it has done.
 *
 * They write and read by ctypes, since Python's own functions repeat a call that a signal has interrupted (PEP 475),
 * and that none is interrupted is what is to be seen.
 */

/** Appends numbered lines to a log. Argument: the log. */
export const logProgram = `
import ctypes
import json
import os
import select
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.write.restype = ctypes.c_ssize_t

log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
print("ready", flush=True)

wrong: list[str] = []
lines = 0
while not select.select([sys.stdin], [], [], 0.001)[0] and not wrong:
    line = f"line {lines}\\n".encode()
    done = libc.write(log, line, ctypes.c_size_t(len(line)))
    if done != len(line):
        wrong.append(f"write: {done}, {os.strerror(ctypes.get_errno())}")
    lines += 1
    if lines % 100 == 0 and libc.fsync(log) != 0:
        wrong.append(f"fsync: {os.strerror(ctypes.get_errno())}")
print(json.dumps({"wrong": wrong, "rounds": lines}))
`;

/**
 * Threads that each write and read a file of their own through one descriptor, and look at each byte. Arguments: the
 * folder, how many threads.
 */
export const stormProgram = `
import ctypes
import json
import os
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)
for call in (libc.pread, libc.pwrite):
    call.restype = ctypes.c_ssize_t
    call.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_long]

folder, threads = sys.argv[1], int(sys.argv[2])
size = 4096
over = threading.Event()
wrong: list[str] = []
rounds = [0] * threads


def checked(call, what, fd, buffer, at):
    done = call(fd, buffer, size, at)
    if done != size:
        wrong.append(f"{what}: {done}, {os.strerror(ctypes.get_errno())}")


def work(number):
    fd = os.open(os.path.join(folder, f"storm-{number}"), os.O_RDWR | os.O_CREAT, 0o600)
    back = ctypes.create_string_buffer(size)
    while not over.is_set() and not wrong:
        page = rounds[number] % 16
        mark = f"{number} {rounds[number]} ".encode()
        block = (mark * (size // len(mark) + 1))[:size]
        checked(libc.pwrite, "write", fd, block, page * size)
        checked(libc.pread, "read", fd, back, page * size)
        if back.raw != block:
            wrong.append(f"thread {number} reads something else than it wrote")
        rounds[number] += 1
        over.wait(0.002)
    os.close(fd)


workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
for worker in workers:
    worker.start()
print("ready", flush=True)
sys.stdin.read()
over.set()
for worker in workers:
    worker.join()
print(json.dumps({"wrong": wrong, "rounds": sum(rounds)}))
`;

/**
 * An SQLite database in WAL mode that one connection writes and another one reads: each transaction moves one from a
 * row to another, so that their sum never changes. Argument: the database.
 */
export const databaseProgram = `
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
`;
