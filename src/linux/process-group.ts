import { isErrno } from './syscall-error.ts';

/**
 * Send a signal to everybody in a process group, kill(2).
 *
 * @param leader the PID of who leads it, or led it; more than 1
 * @param signal 0 only asks
 * @returns whether there is anybody in it
 */
export function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, signal);
    return true;
  } catch (error) {
    return isErrno(error, 'EPERM'); // it runs as somebody else by now
  }
}
