import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { array, boolean, integer, object, string, union } from '../base/schema-types.ts';
import type { JsonObject } from '../base/json.ts';
import { ioActions } from '../faults/io/descriptor.ts';
import { parseSpec } from '../faults/io/spec.ts';
import { addSchemaOptions, schemaInput } from './schema-options.ts';

const properties = {
  name: string({ description: 'a text' }),
  most: integer({ description: 'a number' }),
  all: boolean({ description: 'a switch' }),
  exclude: array(string(), { description: 'one at a time' }),
  methods: array(string(), { description: 'several at a time', separator: ',' }),
  nth: array(integer(), { description: 'several numbers', separator: ',' }),
  attr: union([object({}), array(string())], { description: 'an object, or texts', separator: ',' }),
  errno: union([integer(), string()], { description: 'one or the other' }),
  rules: array(object({}), { description: 'in a file', inFile: true }),
};

function inputOf(...args: readonly string[]): JsonObject {
  const command = new Command('test');
  addSchemaOptions(command, properties, 'Options:');
  command.parse(args, { from: 'user' });
  return schemaInput(properties, command.opts());
}

describe('flags made from a schema', () => {
  it.each<readonly [readonly string[], JsonObject]>([
    [[], {}],
    [['--name', '5', '--most', '5', '--all'], { name: '5', most: 5, all: true }],
    [['--most', 'many'], { most: 'many' }],
    [['--exclude', 'a,b', '--exclude', 'c'], { exclude: ['a,b', 'c'] }],
    [['--methods', 'read,write', '--methods', 'fsync'], { methods: ['read', 'write', 'fsync'] }],
    [['--nth', '3,7', '--nth', 'x'], { nth: [3, 7, 'x'] }],
    [['--attr', 'size=0,perm=0644'], { attr: ['size=0', 'perm=0644'] }],
    [['--errno', '5'], { errno: '5' }],
    [['--errno', 'EIO:1,ENOSPC:3'], { errno: 'EIO:1,ENOSPC:3' }],
  ])('%j is %j', (args, input) => {
    expect(inputOf(...args)).toEqual(input);
  });

  it('of an attack on files make what it takes', async () => {
    const { properties } = ioActions.fault.schema;
    const command = new Command('fault');
    addSchemaOptions(command, properties, 'Options:');
    const line = '--volume /data --path /data/{wal,base}/* --methods fsync,write --errno EIO:1,ENOSPC:3 --nth 3,5';
    command.parse(line.split(' '), { from: 'user' });
    expect(await parseSpec('fault', schemaInput(properties, command.opts()))).toMatchObject({
      volume: '/data',
      rules: [{ path: '/data/{wal,base}/*', methods: ['fsync', 'write'], nth: [3, 5] }],
    });
  });

  describe('a value in a file', () => {
    let folder = '';
    beforeAll(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'faultline-options-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it('is read as JSON', () => {
      const file = path.join(folder, 'rules.json');
      writeFileSync(file, '[{"type":"latency"}]');
      expect(inputOf('--rules', file)).toEqual({ rules: [{ type: 'latency' }] });
    });

    it('is refused when it is none, or not there', () => {
      const file = path.join(folder, 'broken.json');
      writeFileSync(file, '[{');
      expect(() => inputOf('--rules', file)).toThrow(`--rules ${file} is not JSON`);
      expect(() => inputOf('--rules', path.join(folder, 'none'))).toThrow('cannot be read');
    });
  });
});
