import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { seededRandom } from '../../../src/base/random.ts';
import { errnoName } from '../../../src/linux/errno.ts';
import { calls } from '../posix/calls.ts';
import { Model } from './model.ts';
import { type Looks, type Result, nothing } from './results.ts';
import { Generator, type Operation } from './operations.ts';
import type { FolderNode, Node } from './tree.ts';
import { readBytes } from './tree.ts';
import { Volume, walk } from './volume.ts';

/* The model against a real folder, step by step; and the fewest steps that still show a difference. */

export interface Difference {
  /** How many operations had been drawn before it. */
  readonly step: number;
  readonly what: string;
}

export interface CheckRequest {
  readonly seed: string;
  /** Operations that have something to do. */
  readonly count: number;
  /** Where to make a folder to work in. */
  readonly parent: string;
  /** Where the same folder is, seen without the mount; compared as well at the end. */
  readonly below?: string;
  /** Whether to look for the fewest operations that show a difference; true by default. */
  readonly shrinks?: boolean;
}

/** How often the whole tree is compared. */
const wholeEvery = 5_000;

function looksAlike(expected: Looks, seen: Looks): boolean {
  return (
    expected.type === seen.type &&
    expected.mode === seen.mode &&
    expected.links === seen.links &&
    expected.uid === seen.uid &&
    expected.gid === seen.gid &&
    (expected.size === undefined || expected.size === seen.size) &&
    (expected.mtime === undefined || expected.mtime === seen.mtime)
  );
}

function alike(expected: Result, seen: Result): boolean {
  if (typeof expected !== 'object' || typeof seen !== 'object') return expected === seen;
  if (Buffer.isBuffer(expected)) return Buffer.isBuffer(seen) && expected.equals(seen);
  if (Buffer.isBuffer(seen)) return false;
  if ('type' in expected) return 'type' in seen && looksAlike(expected, seen);
  return !('type' in seen) && expected.join('\0') === seen.join('\0');
}

function told(result: Result): string {
  if (typeof result === 'number') return result < 0 ? (errnoName(-result) ?? String(result)) : String(result);
  if (Buffer.isBuffer(result)) return `${result.length} bytes`;
  return JSON.stringify(result, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

function difference(expected: Result, seen: Result): string {
  if (Buffer.isBuffer(expected) && Buffer.isBuffer(seen) && expected.length === seen.length) {
    const at = expected.findIndex((byte, index) => byte !== seen[index]);
    return `${told(seen)}, of which that at ${at} is ${seen[at]} and must be ${expected[at]}`;
  }
  return `${told(seen)}, which must be ${told(expected)}`;
}

function* walkModel(folder: FolderNode, prefix = ''): globalThis.Generator<readonly [string, Node]> {
  for (const name of [...folder.entries.keys()].toSorted()) {
    const node = folder.entries.get(name);
    if (node === undefined) continue;
    yield [`${prefix}${name}`, node];
    if (node.kind === 'dir') yield* walkModel(node, `${prefix}${name}/`);
  }
}

/** @returns what is different about a whole tree, if anything */
function treeDifference(model: Model, folder: string): string | undefined {
  const seen = [...walk(folder)];
  const wanted = [...walkModel(model.root)];
  const [names, wantedNames] = [seen.map(([name]) => name), wanted.map(([name]) => name)];
  if (names.join() !== wantedNames.join()) return `${folder} has ${names.join()}, which must be ${wantedNames.join()}`;
  for (const [index, [name, node]] of wanted.entries()) {
    const [, looks, holds] = seen[index] ?? [name, 0, nothing];
    const expected = model.apply({ do: 'lstat', path: name });
    if (!alike(expected, looks)) return `${folder}/${name}: ${difference(expected, looks)}`;
    const content =
      node.kind === 'file' ? readBytes(node, 0, node.size) : node.kind === 'symlink' ? node.target : nothing;
    if (!alike(content, holds)) return `${folder}/${name} holds ${difference(content, holds)}`;
  }
  return undefined;
}

/**
 * Do operations on both, until one makes a difference, there is none left, or so many have been done that had something
 * to do. The folder must be empty, and is left as it is then.
 */
function compare(
  operations: Iterable<Operation>,
  folder: string,
  { count, below }: CheckRequest,
): Difference | undefined {
  const model = new Model();
  const volume = new Volume(folder);
  const umask = calls.umask(0);
  let step = 0;
  let done = 0;
  try {
    for (const operation of operations) {
      const expected = model.apply(operation);
      const seen = volume.apply(operation);
      if (!alike(expected, seen)) return { step, what: `${JSON.stringify(operation)}: ${difference(expected, seen)}` };
      step += 1;
      if (expected !== nothing) done += 1;
      if (done === count) break;
      const whole = step % wholeEvery === 0 ? treeDifference(model, folder) : undefined;
      if (whole !== undefined) return { step, what: whole };
    }
  } finally {
    volume.close();
    calls.umask(umask);
  }
  const seenBelow = below === undefined ? undefined : path.join(below, path.basename(folder));
  const what =
    treeDifference(model, folder) ?? (seenBelow === undefined ? undefined : treeDifference(model, seenBelow));
  return what === undefined ? undefined : { step, what };
}

function inFreshFolder(request: CheckRequest, operations: Iterable<Operation>): Difference | undefined {
  const folder = mkdtempSync(path.join(request.parent, 'model-'));
  try {
    return compare(operations, folder, request);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Without end. */
function* drawn(seed: string): globalThis.Generator<Operation> {
  const generator = new Generator(seededRandom(seed));
  for (;;) yield generator.next();
}

function firstOf(operations: Iterable<Operation>, count: number): readonly Operation[] {
  const first: Operation[] = [];
  for (const operation of operations) {
    if (first.length === count) break;
    first.push(operation);
  }
  return first;
}

const shrinkingMs = 20_000;

/** Leave out what is not needed for a difference: halves, quarters, and so on, for so long. */
function shrink(request: CheckRequest, operations: readonly Operation[]): readonly Operation[] {
  const deadline = performance.now() + shrinkingMs;
  let fewest = operations;
  for (let piece = Math.ceil(fewest.length / 2); piece >= 1 && performance.now() < deadline; ) {
    let removed = false;
    for (let at = 0; at < fewest.length && performance.now() < deadline; ) {
      const without = [...fewest.slice(0, at), ...fewest.slice(at + piece)];
      const found = inFreshFolder(request, without);
      if (found === undefined) at += piece;
      else {
        fewest = without.slice(0, found.step + 1);
        removed = true;
      }
    }
    if (!removed && piece === 1) break;
    piece = removed ? Math.min(piece, Math.ceil(fewest.length / 2)) : Math.floor(piece / 2);
  }
  return fewest;
}

/**
 * Draw operations from a seed, do them in a folder and compare each result with the model's.
 *
 * @returns undefined when there is no difference; otherwise what it was and how to see it again
 */
export function check(request: CheckRequest): string | undefined {
  const found = inFreshFolder(request, drawn(request.seed));
  if (found === undefined) return undefined;
  if (request.shrinks === false) return `operation ${found.step}: ${found.what}`;
  const fewest = shrink(request, firstOf(drawn(request.seed), found.step + 1));
  const again = inFreshFolder(request, fewest);
  return [
    `seed ${request.seed}, operation ${found.step}: ${found.what}`,
    again === undefined
      ? 'the same operations made no difference when done again'
      : `the fewest operations: ${again.what}\n${fewest.map((one) => `  ${JSON.stringify(one)}`).join('\n')}`,
  ].join('\n');
}
