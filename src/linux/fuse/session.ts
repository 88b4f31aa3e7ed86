import { closeSync, readlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { openFileLimit } from '../procfs/limits.ts';
import { shakeHands } from './handshake.ts';
import type { Agreement } from './negotiation.ts';
import { Notifier } from './notify.ts';
import { addRoot, closeEverything } from './resources.ts';
import { ROOT_NODE } from './protocol.ts';
import { Control, createSharedState, MAX_WORKERS, OPEN_PASSED, type SharedState } from './shared-state.ts';
import { bindSystemCalls, type SystemCalls } from './system-calls.ts';
import { WorkerThreads, type WorkerFailure } from './worker-threads.ts';

export interface FuseSessionOptions {
  /** `/dev/fuse` on which the mount was made. The session keeps it open until it is over, and closes it then. */
  readonly fuseFd: number;
  /** The folder below, open with O_PATH. For the caller to close, when the session is over. */
  readonly rootFd: number;
  /** Program of a thread: it calls `serve(workerData.fuse, …)`. */
  readonly workerFile: string;
  /** What it finds in `workerData` besides. */
  readonly workerData?: Readonly<Record<string, unknown>>;
  /** 4 by default. */
  readonly workers?: number;
  /** How long the kernel may believe what it was told of files that no rule is about, in ms: 0 by default. */
  readonly cacheMs?: number;
  /** How many files the kernel may know at a time: 4 million by default. */
  readonly maxNodes?: number;
  /** How many descriptors may be kept for them: by default a part of what the process may have. */
  readonly maxNodeDescriptors?: number;
  /** Whether the kernel may read and write files that no rule is about by itself: true by default. */
  readonly passthrough?: boolean;
  /** Told of what should not happen: an interposer that throws, a thread that ends early. */
  readonly onFailure?: (failure: WorkerFailure) => void;
}

/** How it ended. */
export interface FuseSessionEnd {
  readonly requests: number;
}

export interface FuseSessionStatus {
  /** Requests answered, since the beginning. */
  readonly requests: number;
  /** Files that the kernel knows. */
  readonly nodes: number;
  /** How many of them have a descriptor. */
  readonly nodeDescriptors: number;
  /** Descriptors that were closed to make room, since the beginning. */
  readonly evictions: number;
  /** Requests that wait for their time, or for a lock. */
  readonly delayed: number;
}

export interface FuseSession {
  readonly agreement: Agreement;
  /**
   * Settles when the volume is unmounted and nobody has a file of it open. Rejects when no thread serves it any more.
   */
  readonly over: Promise<FuseSessionEnd>;
  status(): FuseSessionStatus;
  /** Open files that the kernel reads and writes by itself, by their paths from the root of the volume on. */
  passed(): readonly string[];
  /** To be called when the interposer's generation has grown: the kernel then forgets what it was told before. */
  rulesChanged(): Promise<void>;
  /**
   * How long the kernel may believe what it was told of files that no rule is about. With 0 it asks each time: as long
   * as there may be others who use the folder below at the same time and rely on what they see of each other.
   */
  setCaching(ms: number): Promise<void>;
  /**
   * The end begins: what waits is let go at once, nothing is disturbed any more, and nothing cached. Settles when the
   * kernel knows. The volume is served until it is unmounted and nobody has a file of it open.
   */
  stop(): Promise<void>;
}

/** A thread may look for the next request for so long before it sleeps, if there is a processor for others besides. */
const lookMs = 0.02;
const defaultWorkers = 4;
const defaultNodes = 1 << 22;
const mostDescriptors = 1 << 20;
/** The others are for files that are open. */
const nodeShare = 0.6;
/** So many nodes are told of at a time, so that the thread does other things in between. */
const invalidationBatch = 512;

/**
 * Serves a folder through a FUSE mount, by threads of their own.
 *
 * @throws FaultlineError HOST_UNSUPPORTED; SyscallError: see {@link shakeHands}
 */
export async function startFuseSession(options: FuseSessionOptions): Promise<FuseSession> {
  const { fuseFd, rootFd, passthrough = true } = options;
  const calls = bindSystemCalls();
  const agreement = shakeHands(calls, fuseFd, { passthrough });
  const limit = Math.min(openFileLimit() ?? mostDescriptors, mostDescriptors);
  const shared = createSharedState({ nodes: options.maxNodes ?? defaultNodes, descriptors: limit });
  shared.control[Control.NODE_DESCRIPTORS_LIMIT] = options.maxNodeDescriptors ?? Math.floor(limit * nodeShare);
  shared.control[Control.CACHE_MS] = options.cacheMs ?? 0;
  addRoot(shared, calls, rootFd);
  const threads = new WorkerThreads({
    file: options.workerFile,
    data: options.workerData ?? {},
    count: Math.min(options.workers ?? defaultWorkers, MAX_WORKERS),
    calls,
    fuse: {
      fuseFd,
      shared: shared.buffer,
      capacity: shared.capacity,
      agreement,
      lookMs: availableParallelism() > 1 ? lookMs : 0,
    },
    onFailure: options.onFailure ?? ((): void => undefined),
  });
  const over = threads.ended.finally(() => {
    closeEverything(shared, calls);
    closeSync(fuseFd);
  });
  // Whoever is interested waits for it; a rejection before that is not unhandled.
  over.catch(() => undefined);
  await threads.started;
  const running = new RunningSession(shared, calls, fuseFd, threads);
  return Object.freeze({
    agreement,
    over: over.then(() => ({ requests: running.status().requests })),
    status: () => running.status(),
    passed: () => running.passed(),
    rulesChanged: () => running.forgetAll(),
    setCaching: (ms: number) => running.setCaching(ms),
    stop: () => running.stop(),
  });
}

/** What a descriptor of ours means; undefined without one. */
function linkOf(descriptor: number): string | undefined {
  try {
    return descriptor < 0 ? undefined : readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return undefined; // closed meanwhile
  }
}

class RunningSession {
  private readonly shared: SharedState;
  private readonly threads: WorkerThreads;
  private readonly notifier: Notifier;
  /** The kernel was ever allowed to believe what it was told. */
  private hasCached: boolean;

  constructor(shared: SharedState, calls: SystemCalls, fuseFd: number, threads: WorkerThreads) {
    this.shared = shared;
    this.threads = threads;
    this.notifier = new Notifier(calls, fuseFd);
    this.hasCached = Atomics.load(shared.control, Control.CACHE_MS) > 0;
  }

  status(): FuseSessionStatus {
    const { control } = this.shared;
    return {
      requests: this.sum(Control.REQUESTS),
      nodes: Atomics.load(control, Control.LIVE_NODES),
      nodeDescriptors: Atomics.load(control, Control.NODE_DESCRIPTORS),
      evictions: Atomics.load(control, Control.EVICTIONS),
      delayed: this.sum(Control.DELAYED),
    };
  }

  passed(): readonly string[] {
    const { nodes, openFlags } = this.shared;
    const root = linkOf(Atomics.load(nodes.descriptor, ROOT_NODE)) ?? '';
    const found: string[] = [];
    for (let file = 0; file < openFlags.length; file += 1) {
      if (((openFlags[file] as number) & OPEN_PASSED) === 0) continue;
      const link = linkOf(file);
      if (link?.startsWith(`${root}/`) === true) found.push(link.slice(root.length));
    }
    return found;
  }

  async setCaching(ms: number): Promise<void> {
    Atomics.store(this.shared.control, Control.CACHE_MS, ms);
    if (ms > 0) this.hasCached = true;
    else await this.forgetAll();
  }

  async forgetAll(): Promise<void> {
    const { control, nodes } = this.shared;
    // Only where names were kept: to forget one takes away what somebody has mounted on it.
    if (this.hasCached && !this.notifier.forgetNames()) {
      // What was told of names before holds for so long, and there is no way to take it back.
      await sleep(Atomics.load(control, Control.CACHE_MS));
    }
    for (let node = ROOT_NODE; node < Atomics.load(control, Control.NODES_TOP) && !this.threads.hasEnded; node += 1) {
      if ((nodes.lookups[node] as number) > 0) this.notifier.forgetAttributes(node);
      if (node % invalidationBatch === 0) await nextTurn();
    }
  }

  async stop(): Promise<void> {
    // Whose descriptor of the connection is closed: its number may be of something else by now.
    if (this.threads.hasEnded) return;
    Atomics.store(this.shared.control, Control.STOPPING, 1);
    this.threads.wake();
    await this.setCaching(0);
  }

  private sum(first: number): number {
    let total = 0;
    for (let worker = 0; worker < MAX_WORKERS; worker += 1) {
      total += (this.shared.control[first + worker] as number) >>> 0;
    }
    return total;
  }
}
