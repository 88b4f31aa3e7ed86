import { closeSync, fstatSync, openSync } from 'node:fs';

/** Majors of terminals: Documentation/admin-guide/devices.txt (4 tty, 5 console, 136 to 143 pts). */
function isTerminal(fd: number): boolean {
  try {
    const { rdev } = fstatSync(fd);
    const major = (rdev >> 8) & 0xfff;
    return major === 4 || major === 5 || (major >= 136 && major <= 143);
  } catch {
    return false;
  }
}

/** Who had a terminal that is closed has no controlling terminal any more: ENXIO of tty(4). */
function hasLostTerminal(): boolean {
  if (![0, 1, 2].some(isTerminal)) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}

/**
 * To be called at the very end, after a SIGHUP. At its end Node.js sets its terminal back to what it was; where that
 * is closed it fails, and aborts with a core dump, as if there was a bug. So the signal has its way before.
 */
export function endWithTerminal(): void {
  if (!hasLostTerminal()) return;
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}
