import { closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { readSync, rmdirSync, writeFileSync } from 'node:fs';
import { FaultlineError } from '../../base/error.ts';
import { createFs, mountDetached, openFsContext } from '../mount/fs-context.ts';
import { readStat } from '../procfs/stat.ts';
import { isErrno, toSyscallError } from '../syscall-error.ts';
import { parseTraceFormat, type TraceFormat } from './trace-format.ts';
import { recordsOf, type TraceRecord } from './trace-pages.ts';

/*
 * An instance of ftrace's own: Documentation/trace/ftrace.rst, "Instances". Its events and buffers are nobody else's,
 * and nobody else's are touched. It would outlive this process, so its name tells whose it is: whoever makes the next
 * one takes away those whose process is gone.
 */

const folders = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'] as const;
const prefix = 'faultline-';

/** For each processor, in KiB: room for some ten thousand events between two looks. */
const bufferKib = 2_048;
const pageBytes = 64 * 1024;

interface TraceFolder {
  readonly path: string;
  close(): void;
}

/** tracefs where it is mounted, or mounted for us alone, and in nobody's tree. */
function openTracefs(): TraceFolder {
  for (const path of folders) {
    if (existsSync(`${path}/instances`)) return { path, close: () => undefined };
  }
  let context: number | undefined;
  try {
    context = openFsContext('tracefs');
    createFs(context);
    const fd = mountDetached(context, ['nosuid', 'nodev', 'noexec']);
    return {
      path: `/proc/self/fd/${fd}`,
      close: () => {
        closeSync(fd);
      },
    };
  } catch (error) {
    if (isErrno(error, 'ENODEV', 'ENOSYS')) {
      throw new FaultlineError('HOST_UNSUPPORTED', 'this kernel has no tracefs', { cause: error });
    }
    throw error;
  } finally {
    if (context !== undefined) closeSync(context);
  }
}

/** `faultline-PID-START`: START keeps whoever has the PID next from seeming to be us. */
function ownName(): string {
  return `${prefix}${process.pid}-${readStat('self')?.startTimeTicks ?? 0}-${Math.floor(performance.now() * 1000)}`;
}

function isOrphan(name: string): boolean {
  const [, pid, start] = /^faultline-(\d+)-(\d+)-\d+$/.exec(name) ?? [];
  return pid !== undefined && readStat(Number(pid))?.startTimeTicks !== Number(start);
}

/** As far as it can be taken away: while somebody looks at it, it cannot. Whoever makes the next one tries again. */
function removeInstance(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isErrno(error, 'EBUSY', 'ENOENT')) throw error;
  }
}

/** What others have left behind. */
function removeOrphans(instances: string): void {
  for (const name of readdirSync(instances).filter(isOrphan)) removeInstance(`${instances}/${name}`);
}

/** `sched/sched_process_exit` */
export type TraceEventName = `${string}/${string}`;

export interface TraceInstance {
  /** By what stands in the first two bytes of a record. */
  readonly formats: ReadonlyMap<number, { readonly name: TraceEventName; readonly format: TraceFormat }>;
  /** What has come since the last call, in the order of time. */
  read(): readonly TraceRecord[];
  /** How many events the kernel has overwritten, or had no room for. */
  dropped(): number;
  close(): void;
}

function readPipe(fd: number, page: Buffer): readonly TraceRecord[] {
  const records: TraceRecord[] = [];
  for (;;) {
    try {
      const bytes = readSync(fd, page, 0, page.length, null);
      if (bytes === 0) return records;
      // They must outlive the page.
      records.push(...recordsOf(Buffer.from(page.subarray(0, bytes))));
    } catch (error) {
      if (isErrno(error, 'EAGAIN')) return records;
      throw toSyscallError(error);
    }
  }
}

function lostOn(folder: string): number {
  const stats = readFileSync(`${folder}/stats`, 'latin1');
  const counts = [...stats.matchAll(/^(?:overrun|commit overrun|dropped events): (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

function prepare(folder: string, events: readonly TraceEventName[]): TraceInstance['formats'] {
  writeFileSync(`${folder}/buffer_size_kb`, String(bufferKib));
  writeFileSync(`${folder}/trace_clock`, 'mono');
  const formats = new Map<number, { readonly name: TraceEventName; readonly format: TraceFormat }>();
  for (const name of events) {
    const format = parseTraceFormat(readFileSync(`${folder}/events/${name}/format`, 'latin1'));
    if (format === undefined) throw new FaultlineError('HOST_UNSUPPORTED', `the format of ${name} is not known`);
    formats.set(format.id, { name, format });
  }
  return formats;
}

/**
 * Begin to trace these events, in an instance of our own.
 *
 * @throws {FaultlineError} HOST_UNSUPPORTED: there is no tracefs, or no such event
 * @throws {SyscallError} EACCES, EPERM
 */
export function openTraceInstance(events: readonly TraceEventName[]): TraceInstance {
  const tracefs = openTracefs();
  const folder = `${tracefs.path}/instances/${ownName()}`;
  const pipes = new Map<string, number>();
  const page = Buffer.allocUnsafe(pageBytes);

  function close(): void {
    for (const fd of pipes.values()) closeSync(fd);
    pipes.clear();
    try {
      if (existsSync(folder)) removeInstance(folder);
    } finally {
      tracefs.close();
    }
  }
  try {
    removeOrphans(`${tracefs.path}/instances`);
    mkdirSync(folder);
    const formats = prepare(folder, events);
    for (const cpu of readdirSync(`${folder}/per_cpu`)) {
      const path = `${folder}/per_cpu/${cpu}`;
      pipes.set(path, openSync(`${path}/trace_pipe_raw`, constants.O_RDONLY | constants.O_NONBLOCK));
    }
    for (const name of events) writeFileSync(`${folder}/events/${name}/enable`, '1');
    return Object.freeze<TraceInstance>({
      formats,
      read: () =>
        [...pipes.values()]
          .flatMap((fd) => readPipe(fd, page))
          .sort((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time))),
      dropped: () => [...pipes.keys()].reduce((sum, path) => sum + lostOn(path), 0),
      close,
    });
  } catch (error) {
    close();
    throw isErrno(error, 'ENOENT')
      ? new FaultlineError('HOST_UNSUPPORTED', 'this kernel does not trace deaths', { cause: error })
      : toSyscallError(error);
  }
}
