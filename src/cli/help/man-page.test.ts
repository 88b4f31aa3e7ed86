import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { ProgramName } from '../invocation.ts';
import { buildProgram } from '../program.ts';
import { installed } from '../test-support/installed.ts';
import { manPage } from './man-page.ts';

const programs: readonly ProgramName[] = ['faultline', 'chaosd'];

const pageOf = (program: ProgramName): string => manPage(buildProgram(program));

/** The page as a person reads it, in lines that are not broken. */
function rendered(page: string): string {
  const { stdout } = spawnSync('groff', ['-man', '-Tascii', '-P-c', '-P-b', '-P-o', '-rLL=2000n'], {
    input: page,
    encoding: 'utf8',
  });
  return stdout.replaceAll('_\b', '');
}

describe.each(programs)('%s', (program) => {
  test('has the sections that a man page has, in their order', () => {
    const titles = [...pageOf(program).matchAll(/^\.SH (.*)$/gm)].map(([, title]) => title);
    expect(titles).toEqual([
      'NAME',
      'SYNOPSIS',
      'DESCRIPTION',
      'COMMANDS',
      'OPTIONS OF EVERY COMMAND',
      'EXIT STATUS',
      'ENVIRONMENT',
      'FILES',
      'SAFETY',
      'SEE ALSO',
    ]);
  });

  test('has each command with its flags and examples, and none that is hidden', () => {
    const page = pageOf(program);
    const [, commands = ''] = page.split('.SH COMMANDS');
    for (const command of ['attack process kill', 'attack process stop', 'recover', 'halt', 'show', 'completion zsh']) {
      expect(commands).toContain(`\n.SS ${program} ${command}\n`);
    }
    expect(commands).toContain('.TP\n\\fB\\-s\\fR, \\fB\\-\\-signal\\fR \\fISIGNAL\\fR\nSignal to send');
    expect(commands).toContain(`\\fB${program} attack process kill \\-p 4123 \\-s TERM\\fR`);
    expect(page).not.toMatch(/__complete|keeper\\fR/);
  });

  test('names the program by its name', () => {
    const page = pageOf(program);
    expect(page).not.toContain('PROGRAM');
    expect(page).toMatch(new RegExp(`^\\.TH ${program.toUpperCase()} 1 "" "Faultline \\S+" "User Commands"$`, 'm'));
    expect(page).toMatch(new RegExp(`^${program} \\\\- `, 'm'));
  });

  test('is the same each time', () => {
    expect(pageOf(program)).toBe(pageOf(program));
  });

  test('has no line that could be a request, and no character outside of ASCII', () => {
    const known = new Set(['.TH', '.nh', '.ad', '.SH', '.SS', '.PP', '.TP', '.RS', '.RE', '.nf', '.fi', '.br']);
    const requests = pageOf(program)
      .split('\n')
      .filter((line) => /^[.']/.test(line));
    expect(requests.filter((line) => !known.has(line.split(' ')[0] ?? ''))).toEqual([]);
    expect(pageOf(program)).toMatch(/^[\n -~]*$/);
  });

  test.skipIf(!installed('mandoc'))('mandoc has nothing to say of it but that it has no date', () => {
    const { stdout } = spawnSync('mandoc', ['-T', 'lint'], { input: pageOf(program), encoding: 'utf8' });
    expect(stdout.trim()).toMatch(/^mandoc: \S+ WARNING: missing date, using "": TH$/);
  });

  test.skipIf(!installed('groff'))('groff has nothing to say of it', () => {
    const ran = spawnSync('groff', ['-man', '-ww', '-Tascii', '-z'], { input: pageOf(program), encoding: 'utf8' });
    expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 0, stderr: '' });
  });

  test.skipIf(!installed('groff'))('what is to be typed comes out as it is typed', () => {
    const text = rendered(pageOf(program));
    expect(text).toContain(`${program} attack process kill -p api -r 'systemctl start api'\n`);
    expect(text).toMatch(/-p, --process NAME\|PID\n/);
    expect(text).toContain(`${program} attack process kill [flags]\n`);
    expect(text).toContain('~/.local/state/faultline/faultline.db\n');
  });
});
