import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';

/** Something that is to run all the time. */
export interface Service {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  /** How long after its end it is started again, in ms. */
  readonly restartMs: number;
}

/** How a service ended, as a shell tells it: 128 + n where signal n did it. */
type ExitListener = (service: Service, exitCode: number) => void;

function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 0) : 128 + constants.signals[signal];
}

export interface Children {
  /** Once they are to end, nothing is started any more. */
  start(service: Service): void;
  /** Kills all of them. Resolves when they are gone. */
  end(): Promise<void>;
}

/** A supervisor: whatever ends is started again. */
export function supervise(onExit: ExitListener): Children {
  const running = new Set<ChildProcess>();
  const timers = new Set<NodeJS.Timeout>();
  let isOver = false;

  function start(service: Service): void {
    if (isOver) return;
    const [file, ...args] = service.argv;
    // Its standard input ends when we do.
    const child = spawn(file, args, { stdio: ['pipe', 'ignore', 'inherit'] });
    running.add(child);
    const again = (exitCode: number): void => {
      if (!running.delete(child) || isOver) return;
      onExit(service, exitCode);
      const timer = setTimeout(() => {
        timers.delete(timer);
        start(service);
      }, service.restartMs);
      timers.add(timer);
    };
    child.stdin.on('error', () => undefined);
    child.on('error', () => again(127));
    child.on('exit', (code, signal) => again(exitCodeOf(code, signal)));
  }

  async function end(): Promise<void> {
    isOver = true;
    for (const timer of timers) clearTimeout(timer);
    await Promise.all(
      [...running].map(
        (child) =>
          new Promise((resolve) => {
            child.on('exit', resolve);
            child.on('error', resolve);
            child.kill('SIGKILL');
            if (child.exitCode !== null || child.signalCode !== null) resolve(undefined);
          }),
      ),
    );
  }
  return { start, end };
}
