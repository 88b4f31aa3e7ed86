import type { FileAttributes, Interposer, Operation, Ruling } from '../../../linux/fuse/interposer.ts';
import type { FuseMethod } from '../../../linux/fuse/methods.ts';
import type { DisturbanceSpec, IoRule } from '../rule.ts';
import type { RuleBoard } from '../shared-rules.ts';

/*
 * What the data plane would ask, without it.
 */

export interface OperationInput {
  readonly method?: FuseMethod;
  readonly path?: string;
  readonly otherPath?: string;
  readonly pid?: number;
  readonly uid?: number;
  readonly offset?: number;
  readonly size?: number;
}

/** By default a read of 4096 bytes at 0 of `/file`. */
export function operation(input: OperationInput = {}): Operation {
  const { method = 'read', path = '/file', otherPath, pid = process.pid, uid = 0 } = input;
  const { offset = 0, size = method === 'read' || method === 'write' ? 4096 : 0 } = input;
  return { method, pid, uid, gid: 0, path: () => path, otherPath: () => otherPath, offset, size };
}

/** What the data plane does for one operation. */
export function ask(interposer: Interposer, input: OperationInput = {}): Ruling | undefined {
  interposer.generation();
  const asked = operation(input);
  return interposer.rule(interposer.interest(asked.path()), asked);
}

/** Rules of one injection, whose number is 1, in place of all before. */
export function put(board: RuleBoard, rules: readonly IoRule[], seed = 'seed'): void {
  board.publish([{ injection: 1, seed, rules }]);
}

/** A rule for all reads and writes of whatever is in the volume. */
export function ruleOf(disturbance: DisturbanceSpec, changes: Partial<IoRule> = {}): IoRule {
  return {
    path: null,
    methods: ['read', 'write'],
    by: { pids: [], comms: [], uids: [] },
    offsets: null,
    after: 0,
    nth: [],
    every: 1,
    percent: 100,
    count: null,
    disturbances: [disturbance],
    ...changes,
  };
}

export const failing: DisturbanceSpec = { kind: 'errno', choices: [{ errno: 5, weight: 1 }] };

export function slow(delayMs: number): DisturbanceSpec {
  return { kind: 'latency', delayMs, jitterMs: 0, distribution: 'constant' };
}

/** A regular file of 100 bytes. */
export function someAttributes(): FileAttributes {
  return {
    inode: 7n,
    size: 100n,
    blocks: 8n,
    atimeNs: 1n,
    mtimeNs: 2n,
    ctimeNs: 3n,
    mode: 0o100_640,
    links: 1,
    uid: 1000,
    gid: 1000,
    rdev: 0,
  };
}
