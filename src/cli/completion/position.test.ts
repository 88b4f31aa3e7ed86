import { describe, expect, test } from 'vitest';
import { buildProgram } from '../program.ts';
import { positionAt } from './position.ts';

/** Where the cursor is at the end of a line whose words are separated by one space. */
function at(line: string) {
  const words = line.split(' ');
  const position = positionAt(buildProgram('faultline'), words.slice(0, -1), words.at(-1) ?? '');
  const { command, expected, flags, operands } = position;
  return {
    command: command.name(),
    expected:
      expected.what === 'value' ? `${expected.option.long ?? ''} ${expected.prefix}|${expected.typed}` : expected.what,
    flags: [...flags].map(([option, value]) => `${option.long ?? ''} ${value ?? ''}`.trim()),
    operands,
  };
}

describe('the place in the tree', () => {
  test.each([
    ['', 'faultline', 'operand'],
    ['att', 'faultline', 'operand'],
    ['attack process kill ', 'kill', 'operand'],
    ['attack process kill -', 'kill', 'flag'],
    ['attack process kill --sig', 'kill', 'flag'],
    ['attack process kill -s ', 'kill', '--signal |'],
    ['attack process kill -s T', 'kill', '--signal |T'],
    ['attack process kill --signal T', 'kill', '--signal |T'],
    ['attack process kill --signal=T', 'kill', '--signal --signal=|T'],
    ['attack process kill -sT', 'kill', '--signal -s|T'],
    ['attack process kill -s -', 'kill', '--signal |-'],
    ['attack process kill --newest -s ', 'kill', '--signal |'],
    ['attack process kill --newest=', 'kill', 'flag'],
    ['attack kernel --fail', 'fail', 'flag'],
    ['attack kernel --via ', 'fail', '--via |'],
    ['attack kernel --failtype slab --via=o', 'fail', '--via --via=|o'],
    ['attack kernel --state-dir /x ', 'kernel', 'operand'],
    ['--log-level debug attack ', 'attack', 'operand'],
    ['attack --log-level ', 'attack', '--log-level |'],
    ['attack process stop --state-dir=/x', 'stop', '--state-dir --state-dir=|/x'],
    ['recover -- -', 'recover', 'operand'],
    ['recover -A', 'recover', 'flag'],
    ['search -As', 'search', 'flag'],
    ['search -Aserr', 'search', '--status -As|err'],
    ['nonsense ', 'faultline', 'operand'],
    ['attack process kill --nonsense ', 'kill', 'operand'],
  ])('faultline %s', (line, command, expected) => {
    expect(at(line)).toMatchObject({ command, expected });
  });
});

test('what was given before', () => {
  expect(at('attack process kill -p nginx --newest --exclude=a -sTERM -')).toMatchObject({
    flags: ['--process nginx', '--newest', '--exclude a', '--signal TERM'],
    operands: [],
  });
  expect(at('recover -A one two ')).toMatchObject({ flags: ['--all'], operands: ['one', 'two'] });
  expect(at('recover attack ')).toMatchObject({ command: 'recover', operands: ['attack'] });
  expect(at('search -Ao 3 ')).toMatchObject({ flags: ['--all', '--offset 3'] });
  expect(at('recover -- --all ')).toMatchObject({ flags: [], operands: ['--all'] });
});
