import { describe, expect, test } from 'vitest';
import { code, codeBlock, inline, table } from './markdown-text.ts';

describe('Markdown', () => {
  test('markup in texts is escaped', () => {
    expect(inline('*a* _b_ `c` | [d](e) <f> & \\ ~g~')).toBe(
      '\\*a\\* \\_b\\_ \\`c\\` \\| \\[d\\](e) &lt;f&gt; &amp; \\\\ \\~g\\~',
    );
    expect(inline('a\nb')).toBe('a\\\\x0ab');
  });

  test('code is between more backticks than it holds', () => {
    expect(code('a')).toBe('`a`');
    expect(code('a `b`` c')).toBe('``` a `b`` c ```');
    expect(code('a | b')).toBe('`a \\| b`');
    expect(code('')).toBe('`  `');
    expect(codeBlock('````\ntext\n', 'yaml')).toBe('`````yaml\n````\ntext\n`````');
  });

  test('a table without rows is nothing', () => {
    expect(table(['a', 'b'], [])).toBe('');
    expect(table(['a', 'b'], [['1', '2']])).toBe('| a | b |\n| --- | --- |\n| 1 | 2 |');
  });
});
