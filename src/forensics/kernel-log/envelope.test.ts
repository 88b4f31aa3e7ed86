import { expect, test } from 'vitest';
import { isOfKernel, parseLogLine } from './envelope.ts';

const message = 'Out of memory: Killed process 7 (a) total-vm:1kB, anon-rss:1kB, file-rss:1kB';

test.each([
  ['dmesg --color', `\x1b[32m[   12.500000] \x1b[0m\x1b[31m${message}\x1b[0m`, 12.5],
  ['dmesg -d', `[   12.500000 <    0.000003>] ${message}`, 12.5],
  ['dmesg -T -d', `[Tue Nov  7 21:30:00 2023 <    0.000003>] ${message}`, null],
  ['dmesg -t -d', `[<    0.000003>] ${message}`, null],
  ['dmesg -H', `[  +0.000003] ${message}`, null],
  ['dmesg -x', `kern  :err   : [   12.500000] ${message}`, 12.5],
  ['dmesg -r', `<3>[   12.500000] ${message}`, 12.5],
  ['journalctl -o short-full', `Tue 2023-11-21 21:30:00 CET web-1 kernel: ${message}`, null],
  ['journalctl -o short-iso-precise', `2023-11-21T21:30:00.123456+0100 web-1 kernel: ${message}`, null],
  ['journalctl -o short-unix', `1700598600.123456 web-1 kernel: ${message}`, null],
  ['RFC 3164', `<3>Nov 21 21:30:00 web-1 kernel: ${message}`, null],
])('the kernel wrote it: %s', (_how, line, uptimeSeconds) => {
  const parsed = parseLogLine(line);
  expect(isOfKernel(parsed)).toBe(true);
  expect(parsed).toMatchObject({ message, time: { uptimeSeconds } });
});

test.each([
  ['dmesg -x, of a program', `user  :notice: [   12.500000] ${message}`],
  ['dmesg -r, of a program', `<12>[   12.500000] ${message}`],
  ['RFC 3164, of logger -t kernel', `<13>Nov 21 21:30:00 web-1 kernel: ${message}`],
  ['RFC 5424, of logger -t kernel', `<13>1 2023-11-21T21:30:00Z web-1 kernel - - - ${message}`],
  ['journalctl -o short-full', `Tue 2023-11-21 21:30:00 CET web-1 app[7]: ${message}`],
  ['a container of Kubernetes', `2023-11-21T21:30:00.123456789Z stdout F ${message}`],
  ['a container of docker', JSON.stringify({ log: `${message}\n`, stream: 'stderr', time: '2023-11-21T21:30:00Z' })],
])('a program wrote it: %s', (_how, line) => {
  const parsed = parseLogLine(line);
  expect(isOfKernel(parsed)).toBe(false);
  expect(parsed.message).toBe(message);
});

test('what only looks like the beginning of a syslog line is a message', () => {
  expect(parseLogLine('1 worker of 4 exited - with 3').message).toBe('1 worker of 4 exited - with 3');
});

test('what /dev/kmsg escapes is a byte; several may be one character', () => {
  expect(parseLogLine('4,1,99000000,-;\\xe5\\x90\\x8d \\x0a\\x5cx41 é').message).toBe('名 \n\\x41 é');
});
