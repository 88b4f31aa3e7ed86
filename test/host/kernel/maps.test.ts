import { closeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assembler } from '../../../src/linux/bpf/assembler.ts';
import { attachTracepoint } from '../../../src/linux/bpf/attach.ts';
import {
  closeMap,
  createMap,
  deleteFromMap,
  lookupMap,
  objectId,
  openMap,
  readMap,
  u32,
  updateMap,
} from '../../../src/linux/bpf/map.ts';
import { loadProgram, runProgram } from '../../../src/linux/bpf/program.ts';
import { openRingBuffer, pageSize } from '../../../src/linux/bpf/ring-buffer.ts';
import { isFaultlineError } from '../../../src/base/error.ts';
import { mayLoadPrograms } from '../../support/kernel-programs.ts';

const shape = { type: 'hash', keySize: 4, valueSize: 4, maxEntries: 5000 } as const;

describe.skipIf(!mayLoadPrograms)('maps', () => {
  test('keep what is put into them, for whoever knows their number', () => {
    const map = createMap('numbers', shape);
    for (let index = 0; index < 3000; index += 1) updateMap(map, u32(index), u32(index * 2));
    expect(lookupMap(map, u32(7))?.readUInt32LE()).toBe(14);
    expect(deleteFromMap(map, u32(7))).toBe(true);
    expect(deleteFromMap(map, u32(7))).toBe(false);
    expect(lookupMap(map, u32(7))).toBeUndefined();
    const id = objectId(map.fd);
    const other = openMap(id, shape);
    if (other === undefined) throw new Error('it cannot be opened');
    closeMap(map);
    const entries = readMap(other).map(([key, value]) => [key.readUInt32LE(), value.readUInt32LE()] as const);
    expect(entries).toHaveLength(2999);
    expect(entries.every(([key, value]) => value === key * 2)).toBe(true);
    expect(() => updateMap(other, u32(1), Buffer.alloc(8))).toThrow('8 bytes and not 4');
    closeMap(other);
    expect(openMap(id, shape)).toBeUndefined();
  });

  test('a ring buffer hands over records in order, once round its end', () => {
    const bytes = pageSize();
    const map = createMap('ring', { type: 'ringBuffer', keySize: 0, valueSize: 0, maxEntries: bytes });
    const code = assembler().load(8, 2, 1, 0).store(8, 10, -8, { register: 2 }).map(1, { name: 'ring', fd: map.fd });
    code.compute(2, '=', { register: 10 }).compute(2, '+=', -8).compute(3, '=', 8).compute(4, '=', 0);
    const program = loadProgram('write', code.call('bpf_ringbuf_output').exit().finish(), { type: 'raw-tracepoint' });
    const ring = openRingBuffer(map);
    const numbers = (records: readonly Buffer[]): readonly bigint[] => records.map((one) => one.readBigUInt64LE());
    try {
      let next = 0n;
      for (let round = 0; round < 3 * (bytes / 16); round += 10) {
        const written = Array.from({ length: 10 }, () => {
          next += 1n;
          runProgram(program, [next]);
          return next;
        });
        expect(numbers(ring.peek(3))).toStrictEqual(written.slice(0, 3));
        expect(numbers(ring.drain(4))).toStrictEqual(written.slice(0, 4));
        expect(numbers(ring.drain(100))).toStrictEqual(written.slice(4));
      }
      expect(ring.drain(1)).toStrictEqual([]);
    } finally {
      ring.close();
      closeSync(program);
      closeMap(map);
    }
  });

  test('a tracepoint of tracefs is attached to, or it is said why not', () => {
    const program = loadProgram('idle', assembler().compute(0, '=', 0).exit().finish(), { type: 'tracepoint' });
    try {
      closeSync(attachTracepoint('sched', 'sched_process_exit', program));
    } catch (error) {
      if (!isFaultlineError(error, 'HOST_UNSUPPORTED')) throw error;
      expect(error.hint).toContain('mount tracefs');
    } finally {
      closeSync(program);
    }
    const again = loadProgram('idle', assembler().compute(0, '=', 0).exit().finish(), { type: 'tracepoint' });
    expect(() => attachTracepoint('sched', 'no_such_thing', again)).toThrow(
      'there is no tracepoint sched/no_such_thing',
    );
    closeSync(again);
  });
});
