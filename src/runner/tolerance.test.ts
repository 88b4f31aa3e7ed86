import { describe, expect, it } from 'vitest';
import type { Json } from '../base/json.ts';
import { refuseQuery } from './json-path.ts';
import { judge, type Tolerance, toleranceText } from './tolerance.ts';

const range = (atLeast?: number, atMost?: number): Tolerance => ({ kind: 'range', atLeast, atMost });
const equals = (value: Json): Tolerance => ({ kind: 'equals', value });
const pattern = (source: string): Tolerance => ({ kind: 'pattern', source });
const query = (text: string, tolerance: Tolerance): Tolerance => ({ kind: 'jsonpath', query: text, tolerance });

describe('a tolerance', () => {
  const trap = `${'a'.repeat(60)}!`;

  it.each([
    ['a pattern', '^(?:a+)+$', (source: string) => pattern(source), trap],
    [
      'a query',
      '$[?search(@, "(b+)+c")]',
      (source: string) => query(source, equals('x')),
      JSON.stringify([trap.replaceAll('a', 'b')]),
    ],
  ])('cuts %s off that backtracks without end, and does not try it again', async (_what, source, tolerance, text) => {
    expect(await refuseQuery('$')).toBeUndefined();
    const refused = expect.objectContaining({ code: 'REGEX_INVALID' });
    expect(() => judge(tolerance(source), text)).toThrow(refused);
    // It would be within its time here, but is not begun.
    expect(() => judge(tolerance(source), 'aa')).toThrow(refused);
    expect(judge(pattern('^ok$'), 'ok')).toBe(true);
  });

  it('finds nothing in JSON that is nested too deeply to be searched', async () => {
    expect(await refuseQuery('$..x')).toBeUndefined();
    const depth = 30_000;
    expect(judge(query('$..x', equals(1)), `${'['.repeat(depth)}${']'.repeat(depth)}`)).toBe(false);
  });

  it.each<readonly [Tolerance, Json, boolean]>([
    [equals(2), 2, true],
    [equals(2), '2', false],
    [equals({ a: [1, null] }), { a: [1, null] }, true],
    [range(1, 2), 1, true],
    [range(1, 2), 2, true],
    [range(1, 2), 2.000001, false],
    [range(1), 1e9, true],
    [range(undefined, 2), -1, true],
    [range(1, 2), '1', false],
    [range(0), null, false],
    [pattern('^ok'), 'ok, all of it', true],
    [pattern('^ok'), 'not ok', false],
    [pattern('\\p{Lu}'), 'É', true],
    [pattern('1'), 1, false],
  ])('%j of %j: %j', (tolerance, value, held) => {
    expect(judge(tolerance, value)).toBe(held);
  });

  it.each<readonly [string, Tolerance, Json, boolean]>([
    ['$.status', equals('up'), '{"status": "up"}', true],
    ['$.status', equals('up'), '{"status": "down"}', false],
    ['$.status', equals('up'), '{}', false],
    ['$.status', equals('up'), '<html>', false],
    ['$.status', equals('up'), 5, false],
    ['$', range(3), '5', true],
    [
      '$.peers[?@.up == true].lag',
      range(undefined, 10),
      '{"peers": [{"up": false, "lag": 99}, {"up": true, "lag": 3}]}',
      true,
    ],
    ['$.name', pattern('^fl-'), '{"name": "fl-api"}', true],
    ['$.none', equals(null), '{"none": null}', true],
  ])('of what %s finds: %j of %j: %j', async (text, tolerance, value, held) => {
    expect(await refuseQuery(text)).toBeUndefined();
    expect(judge(query(text, tolerance), value)).toBe(held);
  });

  it('refuses what is no query', async () => {
    expect(await refuseQuery('status')).toMatch(/./u);
    expect(await refuseQuery('$.[')).toMatch(/./u);
  });

  it('is told in words', () => {
    expect(toleranceText(range(undefined, 250), 'ms')).toBe('at most 250 ms');
    expect(toleranceText(range(99.9), '%')).toBe('at least 99.9%');
    expect(toleranceText(range(1, 2), '')).toBe('from 1 to 2');
    expect(toleranceText(equals(2), '')).toBe('exactly 2');
    expect(toleranceText(equals(true), '')).toBe('true');
    expect(toleranceText(equals('a\u001bb'), '')).toBe('exactly "a\\u001bb"');
    expect(toleranceText(pattern('^o\u001bk'), '')).toBe('a match of /^o\\x1bk/');
    expect(toleranceText(query('$.up', equals(true)), '')).toBe('$.up: true');
  });
});
