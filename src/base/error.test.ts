import { expect, test } from 'vitest';
import { FaultlineError } from './error.ts';

test('what strangers have put into an error is harmless to print', () => {
  const error = new FaultlineError('SIGNAL_UNKNOWN', 'no signal "\u202e\u001b[2J"', { hint: 'one\ntwo \u0007' });
  expect(error.message).toBe('no signal "\\u{202e}\\x1b[2J"');
  expect(error.hint).toBe('one\ntwo \\x07');
});
