"""Many threads that write and read a file of their own through open descriptors, and look at each byte and each errno.

By ctypes, since Python's own functions repeat a call that a signal has interrupted (PEP 475), and that none is
interrupted is what is to be seen. Ends when its input ends; prints what went wrong, and how much was done, as JSON.
"""

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
