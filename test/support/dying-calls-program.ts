/**
 * Takes the place of `src/linux/libc.ts` in a program that traces: before the N-th request to ptrace(2), N from
 * `DIE_BEFORE` in the environment, the program is killed, as it may be at any moment of its life.
 */
import * as libc from '../../src/linux/libc.ts';

export * from '../../src/linux/libc.ts';

const dieBefore = Number(process.env['DIE_BEFORE']);
let requests = 0;

/** As in `libc.ts`. */
export const bindUnchecked: typeof libc.bindUnchecked = (name, result, types) => {
  const native = libc.bindUnchecked(name, result, types);
  if (name !== 'ptrace') return native;
  return (...values) => {
    requests += 1;
    if (requests === dieBefore) process.kill(process.pid, 'SIGKILL');
    return native(...values);
  };
};
