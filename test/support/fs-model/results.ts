import type { Node } from './tree.ts';

/** What stat(2) must say; a time that is undefined may be anything. */
export interface Looks {
  readonly type: Node['kind'];
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number | undefined;
  readonly mtime: bigint | undefined;
}

/** A number is what the call gives, or a negative errno; a slot that is empty gives `nothing to do`. */
export type Result = number | string | Buffer | readonly string[] | Looks;

export const nothing = 'nothing to do';

export function looksOf(node: Node): Looks {
  const { kind: type, mode, links, uid, gid, mtime } = node;
  const size = node.kind === 'file' ? node.size : node.kind === 'symlink' ? Buffer.byteLength(node.target) : undefined;
  return { type, mode, links, uid, gid, size, mtime };
}
