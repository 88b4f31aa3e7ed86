/*
 * Why the processor raised a signal: the codes of sigaction(2), include/uapi/asm-generic/siginfo.h.
 */

const codes: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  // SIGILL
  4: { 1: 'an illegal instruction', 2: 'an illegal operand', 5: 'a privileged instruction' },
  // SIGBUS
  7: {
    1: 'an address that is not aligned',
    2: 'memory without anything behind it: a mapped file that was cut off',
    4: 'memory that is broken',
    5: 'memory that is broken',
  },
  // SIGFPE
  8: { 1: 'an integer divided by zero', 2: 'an integer overflow', 3: 'a number divided by zero' },
  // SIGSEGV
  11: { 1: 'an address where nothing is', 2: 'memory that may not be used so' },
  // SIGSYS
  31: { 1: 'a system call that a filter forbids (seccomp)', 2: 'a system call that a filter forbids' },
};

/** What a process did to be sent this signal by the kernel; undefined where the code tells nothing. */
export function faultText(signal: number, code: number): string | undefined {
  return codes[signal]?.[code];
}
