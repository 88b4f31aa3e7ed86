import { type Context, createContext, Script } from 'node:vm';

const program = new Script('work()');

/** Made once: a context takes a millisecond, and what is asked of it next has nothing of what was asked before. */
let shared: { readonly context: Context; work: () => unknown } | undefined;

function isTimeout(error: unknown): boolean {
  // An error of the other context is no `Error` of ours.
  return (
    typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}

/**
 * Do something that may take for ever, such as matching a regular expression that backtracks without end (`(a+)+b`):
 * it would hold up the process for hours, with everything that it has to undo. It may be broken off anywhere, so that
 * only what nobody depends on afterwards should be done so.
 *
 * @param work is not asynchronous, does not come back here, and may be done twice: a hypervisor may take the processor
 *   away for as long as that, once
 * @returns undefined when its time was over both times
 */
export function withinTime<Result>(work: () => Result, mostMs: number): { readonly result: Result } | undefined {
  return tryWithin(work, mostMs) ?? tryWithin(work, mostMs);
}

function tryWithin<Result>(work: () => Result, mostMs: number): { readonly result: Result } | undefined {
  const sandbox = { work: (): unknown => undefined };
  shared ??= Object.assign(sandbox, { context: createContext(sandbox) });
  shared.work = work;
  try {
    return { result: program.runInContext(shared.context, { timeout: mostMs }) as Result };
  } catch (error) {
    if (!isTimeout(error)) throw error;
    return undefined;
  } finally {
    shared.work = () => undefined;
  }
}
