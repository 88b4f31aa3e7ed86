import { Errno } from '../errno.ts';
import { lastErrno } from '../libc.ts';
import { mapRegion, type Region } from './memory.ts';
import type { SystemCalls } from './system-calls.ts';

/** epoll_ctl(2): include/uapi/linux/eventpoll.h. */
const EPOLL_CLOEXEC = 0x8_0000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 0x1;
/** Each write to the eventfd wakes once, and nobody has to read it. */
const EPOLLET = 0x8000_0000;

const ARGUMENT_BYTES = 64;
const TIMESPEC_WORD = 8;
const kilo = 1000;

/** Lets a thread sleep until there may be a request, until it is called, or until its time has come. */
export class Waiting {
  private readonly calls: SystemCalls;
  private readonly memory: Region = mapRegion(ARGUMENT_BYTES);
  private readonly epoll: number;
  private precise = true;

  /**
   * @param call an eventfd
   * @param device the thread's own descriptor of the connection, when it is to be woken by requests
   */
  constructor(calls: SystemCalls, call: number, device?: number) {
    this.calls = calls;
    this.epoll = calls.epollCreate1(EPOLL_CLOEXEC);
    this.watch(call, EPOLLIN | EPOLLET);
    if (device !== undefined) this.watch(device, EPOLLIN);
  }

  /** @param ms how long at most; Infinity for as long as it takes */
  wait(ms: number): void {
    if (ms <= 0) return;
    const { calls, memory, epoll } = this;
    if (ms === Infinity) calls.epollWait(epoll, memory.address, 1, -1);
    else if (this.precise) this.waitPrecisely(ms);
    else calls.epollWait(epoll, memory.address, 1, Math.ceil(ms));
  }

  close(): void {
    this.calls.close(this.epoll);
  }

  /** To the nanosecond, which kernels before Linux 5.11 cannot. */
  private waitPrecisely(ms: number): void {
    const { calls, memory, epoll } = this;
    const seconds = Math.floor(ms / kilo);
    memory.put64(TIMESPEC_WORD, seconds);
    memory.put64(TIMESPEC_WORD + 2, Math.floor((ms - seconds * kilo) * kilo * kilo));
    const woken = calls.epollPwait2(epoll, memory.address, 1, memory.address + TIMESPEC_WORD * 4, 0, 0);
    if (woken < 0 && lastErrno() === Errno.ENOSYS) this.precise = false;
  }

  /** struct epoll_event: the events first; what is handed back with them is of no interest. */
  private watch(descriptor: number, events: number): void {
    const { calls, memory, epoll } = this;
    memory.put(0, events);
    if (calls.epollCtl(epoll, EPOLL_CTL_ADD, descriptor, memory.address) < 0) {
      throw new Error(`epoll_ctl failed with errno ${lastErrno()}`);
    }
  }
}
