"""A program that appends numbered lines to its log, without an end.

By ctypes, as in io-storm.py. Ends when its input ends; prints what went wrong, and how many lines there are, as JSON.
"""

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
    line = f"line {lines}\n".encode()
    done = libc.write(log, line, ctypes.c_size_t(len(line)))
    if done != len(line):
        wrong.append(f"write: {done}, {os.strerror(ctypes.get_errno())}")
    lines += 1
    if lines % 100 == 0 and libc.fsync(log) != 0:
        wrong.append(f"fsync: {os.strerror(ctypes.get_errno())}")
print(json.dumps({"wrong": wrong, "rounds": lines}))
