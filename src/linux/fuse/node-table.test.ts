import { describe, expect, test } from 'vitest';
import { type FileIdentity, NodeTable } from './node-table.ts';
import { Control, createSharedState, type SharedState } from './shared-state.ts';

const capacity = { nodes: 16, descriptors: 8 };
const always = (): boolean => true;
const never = (): boolean => false;

function file(inode: number, fileSystem = 0): FileIdentity {
  return { inodeLow: inode, inodeHigh: 0, fileSystem };
}

function table(): { readonly nodes: NodeTable; readonly shared: SharedState } {
  const shared = createSharedState(capacity);
  const nodes = new NodeTable(shared);
  nodes.add(file(2), 100, always);
  return { nodes, shared };
}

describe('the nodes of files', () => {
  test('the first one is the root, and is never forgotten', () => {
    const { nodes, shared } = table();
    expect(nodes.find(file(2))).toBe(1);
    expect(nodes.forget(1, 5)).toBe(-1);
    expect(shared.control[Control.LIVE_NODES]).toBe(1);
  });

  test('a file is the same node as often as it is seen, and takes its descriptor the first time', () => {
    const { nodes } = table();
    const node = nodes.add(file(7), 101, always);
    expect(nodes.adopted).toBe(true);
    expect(nodes.add(file(7), 102, always)).toBe(node);
    expect(nodes.adopted).toBe(false);
    expect(nodes.add(file(7, 1), 103, always)).not.toBe(node);
    expect(nodes.add({ inodeLow: 7, inodeHigh: 1, fileSystem: 0 }, 104, always)).not.toBe(node);
  });

  test('it is forgotten when the kernel has forgotten it as often as it was told of it', () => {
    const { nodes, shared } = table();
    const node = nodes.add(file(7), 101, always);
    nodes.add(file(7), 102, always);
    expect(nodes.addKnown(node, 7)).toBe(true);
    expect(nodes.forget(node, 2)).toBe(-1);
    expect(nodes.find(file(7))).toBe(node);
    expect(nodes.forget(node, 1)).toBe(101);
    expect(nodes.find(file(7))).toBe(0);
    expect(nodes.addKnown(node, 7)).toBe(false);
    expect(shared.control[Control.LIVE_NODES]).toBe(1);
    expect(shared.control[Control.NODE_DESCRIPTORS]).toBe(1);
  });

  test('a number that is given out again has another generation', () => {
    const { nodes } = table();
    const node = nodes.add(file(7), 101, always);
    const generation = nodes.generationOf(node);
    nodes.forget(node, 1);
    expect(nodes.add(file(8), 102, always)).toBe(node);
    expect(nodes.generationOf(node)).toBeGreaterThan(generation);
  });

  test('there is no node when there is no room', () => {
    const { nodes } = table();
    const all = Array.from({ length: 20 }, (_, index) => nodes.add(file(10 + index), 200 + index, always));
    expect(all.filter((node) => node !== 0)).toHaveLength(capacity.nodes - 2);
    expect(nodes.adopted).toBe(false);
  });

  test('a file whose descriptor was closed gets the new one, if it is the same', () => {
    const { nodes, shared } = table();
    const node = nodes.add(file(7), 101, always);
    shared.nodes.descriptor[node] = -1;
    expect(nodes.addKnown(node, 7)).toBe(false);
    expect(nodes.add(file(7), 102, always)).toBe(node);
    expect([nodes.adopted, shared.nodes.descriptor[node]]).toEqual([true, 102]);
  });

  test('a file that has the inode number of one that is gone is another node', () => {
    const { nodes, shared } = table();
    const gone = nodes.add(file(7), 101, always);
    shared.nodes.descriptor[gone] = -1;
    const fresh = nodes.add(file(7), 102, never);
    expect(fresh).not.toBe(gone);
    expect(nodes.find(file(7))).toBe(fresh);
    // The kernel still knows the other one, and forgets it in its own time.
    expect(nodes.forget(gone, 1)).toBe(-1);
    expect(nodes.find(file(7))).toBe(fresh);
  });

  test('the files of one bucket are told apart, whichever of them goes', () => {
    const shared = createSharedState({ nodes: 4096, descriptors: 8 });
    const nodes = new NodeTable(shared);
    const made = Array.from({ length: 4000 }, (_, inode) => nodes.add(file(inode), inode, always));
    for (const [inode, node] of made.entries()) if (inode % 3 === 0 && node > 1) nodes.forget(node, 1);
    for (const [inode, node] of made.entries()) {
      expect(nodes.find(file(inode))).toBe(inode % 3 === 0 && node > 1 ? 0 : node);
    }
  });
});

describe('the names of files', () => {
  test('the last one is known', () => {
    const { nodes } = table();
    const folder = nodes.add(file(6), 101, always);
    const node = nodes.add(file(7), 102, always);
    expect(nodes.nameOf(node)).toBeUndefined();
    nodes.setName(node, 1, Buffer.from('first'));
    nodes.setName(node, folder, Buffer.from('second'));
    expect(Buffer.from(nodes.nameOf(node) ?? []).toString()).toBe('second');
    expect(nodes.parentOf(node)).toBe(folder);
  });

  test('one that is lost is not known any more, but another is', () => {
    const { nodes } = table();
    const folder = nodes.add(file(6), 101, always);
    const node = nodes.add(file(7), 102, always);
    nodes.setName(node, folder, Buffer.from('kept'));
    nodes.loseName(node, folder, Buffer.from('lost'));
    nodes.loseName(node, 1, Buffer.from('kept'));
    expect(Buffer.from(nodes.nameOf(node) ?? []).toString()).toBe('kept');
    nodes.loseName(node, folder, Buffer.from('kept'));
    expect(nodes.nameOf(node)).toBeUndefined();
  });

  test('a folder that is gone is not known, though its number is another one’s', () => {
    const { nodes } = table();
    const folder = nodes.add(file(6), 101, always);
    const node = nodes.add(file(7), 102, always);
    nodes.setName(node, folder, Buffer.from('name'));
    nodes.forget(folder, 1);
    expect(nodes.add(file(8), 103, always)).toBe(folder);
    expect(nodes.parentOf(node)).toBe(0);
  });
});
