import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFileName, encodeFileName } from './file-name.ts';

describe('names of files as text', () => {
  it.each([
    [[0x61, 0x62], 'ab'],
    [[0xc3, 0xa4], 'ä'],
    [[0xf0, 0x9f, 0x98, 0x80], '😀'],
    [[0xef, 0xbf, 0xbd], '\uFFFD'],
    [[0x61, 0xff, 0x62], 'a\uDCFFb'],
    [[0xe4], '\uDCE4'],
    // A surrogate, an overlong slash, something above U+10FFFF, and a character that is cut off.
    [[0xed, 0xa0, 0x80], '\uDCED\uDCA0\uDC80'],
    [[0xc0, 0xaf], '\uDCC0\uDCAF'],
    [[0xf4, 0x90, 0x80, 0x80], '\uDCF4\uDC90\uDC80\uDC80'],
    [[0xf0, 0x9f, 0x98], '\uDCF0\uDC9F\uDC98'],
    // A valid character whose last UTF-16 unit looks like an escaped byte.
    [[0xf0, 0x9f, 0x82, 0x80, 0x80], '\u{1F080}\uDC80'],
  ])('%j is %j', (bytes, text) => {
    expect(decodeFileName(Uint8Array.from(bytes))).toBe(text);
    expect([...encodeFileName(text)]).toEqual(bytes);
  });

  it('comes back from any bytes unchanged', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect([...encodeFileName(decodeFileName(bytes))]).toEqual([...bytes]);
      }),
    );
  });

  it('comes back from any text unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeFileName(encodeFileName(text))).toBe(text);
      }),
    );
  });
});
