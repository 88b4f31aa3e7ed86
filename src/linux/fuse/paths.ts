import type { Interposer } from './interposer.ts';
import { statx } from './layouts.ts';
import type { NodeDescriptors } from './node-descriptors.ts';
import type { NodeTable } from './node-table.ts';
import { ROOT_NODE } from './protocol.ts';
import { PATH_BYTES, type Scratch } from './scratch.ts';
import { Control, NodeFlag, type SharedState } from './shared-state.ts';
import type { SystemCalls } from './system-calls.ts';

/** How many paths of folders a thread remembers. */
const rememberedFolders = 4096;
/** What readlink(2) says of a file without a name: d_path() of fs/d_path.c. */
const deletedSuffix = ' (deleted)';
/** A folder that is deeper than this was moved into itself while we looked. */
const deepest = 4096;

/** What was said of a name so long ago that it has to be asked again. */
export const UNKNOWN_INTEREST = -1;

interface Parts {
  readonly shared: SharedState;
  readonly calls: SystemCalls;
  readonly scratch: Scratch;
  readonly table: NodeTable;
  readonly descriptors: NodeDescriptors;
  readonly interposer: Interposer;
}

/**
 * Paths of files as the rules know them, from the root of the volume on, and what the interposer says of them.
 *
 * The kernel's own word is asked, readlink(2) of an open descriptor, as files are moved by others too. What the
 * interposer has said is kept with the node for as long as neither rules nor folders have changed.
 */
export class Paths {
  private readonly parts: Parts;
  private readonly folders = new Map<number, string>();
  private foldersOf = -1;
  private root: string | undefined;
  /** The rules by which was told what {@link interestIn} said last. */
  private saidBy = -1;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** `/` and what follows it; of a file without a name the one that it had. `?` when it cannot be told. */
  pathOf(node: number): string {
    if (node === ROOT_NODE) return '/';
    const { shared } = this.parts;
    const byHandle = ((shared.nodes.flags[node] as number) & NodeFlag.BY_HANDLE) !== 0;
    const recorded = byHandle ? this.recordedPath(node) : undefined;
    return recorded ?? this.kernelPath(node) ?? this.recordedPath(node) ?? '?';
  }

  /** The path of a name in a folder. */
  pathWith(folder: number, name: string): string {
    const path = this.folderPath(folder);
    return path === '/' ? `/${name}` : `${path}/${name}`;
  }

  /** What the interposer says of a file: 0 when no rule is about it. */
  interestOf(node: number): number {
    const { shared, interposer } = this.parts;
    const { nodes, control } = shared;
    if ((control[Control.STOPPING] as number) !== 0) return 0;
    const rules = interposer.generation();
    const paths = control[Control.PATH_GENERATION] as number;
    // 0 stands for never, whatever number the rules begin with.
    if (nodes.interestRules[node] === rules + 1 && nodes.interestPaths[node] === paths) {
      return nodes.interest[node] as number;
    }
    const interest = interposer.interest(this.pathOf(node));
    this.keepInterest(node, interest, rules, paths);
    return interest;
  }

  /** What the interposer says of a name, whether or not there is such a file. */
  interestIn(path: string): number {
    const { shared, interposer } = this.parts;
    this.saidBy = interposer.generation(); // and that they are the latest
    return (shared.control[Control.STOPPING] as number) === 0 ? interposer.interest(path) : 0;
  }

  /**
   * A file was found under a name of which the interposer has said something: a file may have several names.
   *
   * @param interest of {@link interestIn}, just before; {@link UNKNOWN_INTEREST} when that was not just before
   */
  addInterest(node: number, interest: number): void {
    const { shared, interposer } = this.parts;
    const { nodes, control } = shared;
    const rules = interposer.generation();
    if (interest === UNKNOWN_INTEREST || rules !== this.saidBy) {
      this.interestOf(node);
      return;
    }
    const paths = control[Control.PATH_GENERATION] as number;
    const known = nodes.interestRules[node] === rules + 1 && nodes.interestPaths[node] === paths;
    const before = known ? (nodes.interest[node] as number) : 0;
    if (!known || (before | interest) !== before) this.keepInterest(node, before | interest, rules, paths);
  }

  /** The file was moved: what was said of it does not hold. */
  forgetInterest(node: number): void {
    this.parts.shared.nodes.interestRules[node] = 0;
  }

  /** A folder was moved, and everything in it. */
  forgetAll(): void {
    Atomics.add(this.parts.shared.control, Control.PATH_GENERATION, 1);
  }

  private keepInterest(node: number, interest: number, rules: number, paths: number): void {
    const { nodes } = this.parts.shared;
    nodes.interestRules[node] = 0;
    nodes.interest[node] = interest;
    nodes.interestPaths[node] = paths;
    nodes.interestRules[node] = rules + 1;
  }

  private folderPath(node: number): string {
    const { control, nodes } = this.parts.shared;
    const paths = control[Control.PATH_GENERATION] as number;
    if (paths !== this.foldersOf || this.folders.size >= rememberedFolders) this.folders.clear();
    this.foldersOf = paths;
    // The generation tells a folder from a later one with the same number.
    const key = node + (nodes.generation[node] as number) * 0x1_0000_0000;
    const known = this.folders.get(key);
    if (known !== undefined) return known;
    const path = this.pathOf(node);
    this.folders.set(key, path);
    return path;
  }

  /** By the kernel's word; undefined when that is not a path in the volume. */
  private kernelPath(node: number): string | undefined {
    const { descriptors } = this.parts;
    const held = descriptors.held;
    const descriptor = descriptors.hold(node);
    const path = descriptor < 0 ? undefined : this.link(descriptor);
    const inside = path === undefined ? undefined : this.insideOf(path);
    const nameless = inside?.endsWith(deletedSuffix) === true && this.isDeleted(descriptor);
    descriptors.release(held);
    return nameless ? inside.slice(0, -deletedSuffix.length) : inside;
  }

  private insideOf(path: string): string | undefined {
    this.root ??= this.rootPath();
    const inside = this.within(path);
    if (inside !== undefined) return inside;
    // The volume itself may have been moved.
    this.root = this.rootPath();
    return this.within(path);
  }

  private rootPath(): string {
    const path = this.link(Atomics.load(this.parts.shared.nodes.descriptor, ROOT_NODE)) ?? '/';
    return path === '/' ? '' : path;
  }

  private within(path: string): string | undefined {
    const root = this.root ?? '';
    return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
  }

  private link(descriptor: number): string | undefined {
    const { calls, scratch } = this.parts;
    const length = calls.readlinkat(-1, scratch.procPath(descriptor), scratch.path, PATH_BYTES);
    return length < 0 ? undefined : scratch.pathText(length);
  }

  private isDeleted(descriptor: number): boolean {
    const { descriptors, scratch } = this.parts;
    return descriptors.stat(descriptor) === 0 && scratch.stat(statx.nlink) === 0;
  }

  /** By the names under which the file and its folders were seen last. */
  private recordedPath(node: number): string | undefined {
    const { table } = this.parts;
    const names: string[] = [];
    for (let here = node; here !== ROOT_NODE; here = table.parentOf(here)) {
      const name = table.nameOf(here);
      if (name === undefined || names.length > deepest) return undefined;
      names.push(Buffer.from(name).toString('utf8'));
    }
    return `/${names.toReversed().join('/')}`;
  }
}
