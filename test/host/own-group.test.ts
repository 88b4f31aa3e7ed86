import { expect, test } from 'vitest';

test('a test cannot kill those who run it', () => {
  expect(() => process.kill(0, 'SIGKILL')).toThrow('its own process group');
});
