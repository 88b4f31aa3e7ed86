import type { Random } from '../../src/base/random.ts';
import { sampleLengths, type SampleMember, sampleMembers } from '../../src/faults/kernel/test-support/sample-types.ts';

/*
 * Predicates made at random from a grammar of C, each with what it comes to by C's rules: said here once more, without
 * the compiler that is tested.
 */

/** What a predicate is about: the parameters of `look`, and two samples of which the first points to the second. */
export interface World {
  readonly n: bigint;
  readonly m: bigint;
  readonly c: bigint;
  readonly samples: readonly [SampleValues, SampleValues];
}

export interface SampleValues {
  readonly members: ReadonlyMap<string, bigint>;
  readonly numbers: readonly bigint[];
  readonly text: string;
  readonly name: string;
}

interface Kind {
  readonly size: number;
  readonly signed: boolean;
}

interface Part extends Kind {
  readonly text: string;
  readonly value: (world: World) => bigint;
}

/** Something that C leaves open, and that makes a predicate false here. */
class Undefined extends Error {}

const int: Kind = { size: 4, signed: true };

function wrap(value: bigint, { size, signed }: Kind): bigint {
  return signed ? BigInt.asIntN(size * 8, value) : BigInt.asUintN(size * 8, value);
}

const promote = (kind: Kind): Kind => (kind.size < 4 ? int : { size: kind.size, signed: kind.signed });

function common(left: Kind, right: Kind): Kind {
  const [a, b] = [promote(left), promote(right)];
  if (a.size !== b.size) return a.size > b.size ? a : b;
  return { size: a.size, signed: a.signed && b.signed };
}

const words = ['', 'a', 'banana', 'bananas', 'bananasplit', 'apples', 'naïve', 'exactly15bytes.', 'x\ty'] as const;
const constants: readonly (readonly [string, bigint])[] = [
  ['KIND_NONE', 0n],
  ['KIND_ONE', 1n],
  ['KIND_FAR', 100_000n],
];
const sizes = [
  'char',
  'unsigned char',
  'short',
  'unsigned short',
  'int',
  'unsigned int',
  'long',
  'unsigned long',
] as const;

export interface RandomPredicate {
  readonly text: string;
  /** Does it hold? */
  readonly holds: (world: World) => boolean;
}

export function randomPredicates(random: Random): { next(): RandomPredicate; world(): World } {
  const one = <Item>(items: readonly Item[]): Item => items[random.integer(0, items.length - 1)] as Item;

  function literal(): Part {
    const value = BigInt(one([0, 1, 2, 3, 7, 10, 31, 127, 128, 255, 256, 65_535, 0x7fff_ffff]));
    const suffix = one(['', '', '', 'U', 'L', 'UL']);
    const digits = one([String(value), `0x${value.toString(16)}`]);
    const kind = { size: suffix.includes('L') ? 8 : 4, signed: !suffix.includes('U') };
    return { ...kind, text: `${digits}${suffix}`, value: () => value };
  }

  function parameter(): Part {
    return one<Part>([
      { ...int, text: 'n', value: ({ n }) => n },
      { size: 8, signed: false, text: 'm', value: ({ m }) => m },
      { size: 1, signed: false, text: 'c', value: ({ c }) => c },
    ]);
  }

  function sample(): { readonly text: string; readonly of: (world: World) => SampleValues } {
    return one([
      { text: 'it', of: ({ samples }: World) => samples[0] },
      { text: 'it->next', of: ({ samples }: World) => samples[1] },
      { text: '(&*it)', of: ({ samples }: World) => samples[0] },
    ]);
  }

  function member(): Part {
    const { text, of } = sample();
    const { name, size, signed, bits } = one(sampleMembers);
    // A small bit-field is an int, whatever it is declared as.
    const kind = bits !== undefined && bits < 32 ? int : { size, signed };
    const shown = one([`${text}->${name}`, `(*${text}).${name}`]);
    return { ...kind, text: shown, value: (world) => of(world).members.get(name) ?? 0n };
  }

  function element(depth: number): Part {
    const { text, of } = sample();
    const index = number(depth - 1);
    const last = BigInt(sampleLengths.numbers - 1);
    const at = (world: World): bigint => BigInt.asUintN(64, index.value(world)) & last;
    const value = (world: World): bigint => of(world).numbers[Number(at(world))] ?? 0n;
    return { ...int, text: `${text}->numbers[(${index.text}) & ${last}]`, value };
  }

  function leaf(depth: number): Part {
    const choice = random.integer(0, 9);
    if (choice < 2) return literal();
    if (choice < 4) return parameter();
    if (choice < 5) {
      const [text, value] = one(constants);
      return { ...int, text, value: () => value };
    }
    return choice < 6 && depth > 0 ? element(depth) : member();
  }

  function unary(depth: number): Part {
    const operand = number(depth - 1);
    const kind = promote(operand);
    const operator = one(['-', '~', '+'] as const);
    const apply = { '-': (v: bigint) => -v, '~': (v: bigint) => ~v, '+': (v: bigint) => v }[operator];
    const value = (world: World): bigint => wrap(apply(wrap(operand.value(world), kind)), kind);
    return { ...kind, text: `${operator}(${operand.text})`, value };
  }

  function cast(depth: number): Part {
    const operand = number(depth - 1);
    const name = one(sizes);
    const size = { char: 1, short: 2, int: 4, long: 8 }[name.replace('unsigned ', '')] ?? 4;
    const kind = { size, signed: !name.startsWith('unsigned') };
    return { ...kind, text: `(${name})(${operand.text})`, value: (world) => wrap(operand.value(world), kind) };
  }

  function computed(operator: string, a: bigint, b: bigint, kind: Kind): bigint {
    switch (operator) {
      case '+':
        return a + b;
      case '-':
        return a - b;
      case '*':
        return a * b;
      case '&':
        return a & b;
      case '|':
        return a | b;
      case '^':
        return a ^ b;
      default:
        if (b === 0n) throw new Undefined();
        return operator === '/' ? a / b : wrap(a, kind) % b;
    }
  }

  function binary(depth: number): Part {
    const [left, right] = [number(depth - 1), number(depth - 1)];
    const operator = one(['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>'] as const);
    const text = `(${left.text}) ${operator} (${right.text})`;
    if (operator === '<<' || operator === '>>') {
      const kind = promote(left);
      const value = (world: World): bigint => {
        const by = BigInt.asUintN(64, right.value(world)) & BigInt(kind.size * 8 - 1);
        const moved = wrap(left.value(world), kind);
        return wrap(operator === '<<' ? moved << by : moved >> by, kind);
      };
      return { ...kind, text, value };
    }
    const kind = common(left, right);
    const value = (world: World): bigint =>
      wrap(computed(operator, wrap(left.value(world), kind), wrap(right.value(world), kind), kind), kind);
    return { ...kind, text, value };
  }

  /** A condition may be computed with, too. */
  function conditional(depth: number): Part {
    const inner = condition(depth - 1);
    return { ...inner, text: `(${inner.text})` };
  }

  function number(depth: number): Part {
    if (depth <= 0) return leaf(depth);
    return one([leaf, leaf, unary, cast, binary, binary, binary, conditional])(depth);
  }

  function comparison(depth: number): Part {
    const [left, right] = [number(depth - 1), number(depth - 1)];
    const operator = one(['==', '!=', '<', '<=', '>', '>='] as const);
    const kind = common(left, right);
    const tests = {
      '==': (a: bigint, b: bigint) => a === b,
      '!=': (a: bigint, b: bigint) => a !== b,
      '<': (a: bigint, b: bigint) => a < b,
      '<=': (a: bigint, b: bigint) => a <= b,
      '>': (a: bigint, b: bigint) => a > b,
      '>=': (a: bigint, b: bigint) => a >= b,
    };
    const value = (world: World): bigint =>
      tests[operator](wrap(left.value(world), kind), wrap(right.value(world), kind)) ? 1n : 0n;
    return { ...int, text: `(${left.text}) ${operator} (${right.text})`, value };
  }

  function textual(): Part {
    const { text, of } = sample();
    const [field, wanted] = [one(['name', 'text'] as const), one(words)];
    const quoted = JSON.stringify(wanted);
    const bytes = (shown: string): Buffer => Buffer.concat([Buffer.from(shown), Buffer.alloc(600)]);
    const whole = Buffer.byteLength(wanted) + 1;
    const length = random.integer(1, whole + 3);
    const withLength = random.integer(0, 1) === 1;
    const compared = withLength ? Math.min(length, whole) : whole;
    const value = (world: World): bigint =>
      bytes(of(world)[field]).subarray(0, compared).equals(bytes(wanted).subarray(0, compared)) ? 1n : 0n;
    const call = withLength
      ? `STRNCMP(${text}->${field}, ${quoted}, ${length})`
      : `STRCMP(${text}->${field}, ${quoted})`;
    return { ...int, text: call, value };
  }

  function pointers(): Part {
    return one<Part>([
      { ...int, text: 'it->next != NULL', value: () => 1n },
      { ...int, text: 'it->next == it', value: () => 0n },
      { ...int, text: 'it->next->next == NULL', value: () => 1n },
      // What cannot be read holds nowhere, nor does its opposite.
      {
        ...int,
        text: '!(it->next->next->u8 == 1)',
        value: () => {
          throw new Undefined();
        },
      },
    ]);
  }

  function condition(depth: number): Part {
    if (depth <= 0) return one([() => comparison(1), textual, pointers])();
    const choice = random.integer(0, 9);
    if (choice < 3) return comparison(depth);
    if (choice < 4) return textual();
    if (choice < 5) {
      const inner = condition(depth - 1);
      return { ...int, text: `!(${inner.text})`, value: (world) => (inner.value(world) === 0n ? 1n : 0n) };
    }
    if (choice < 6) {
      const inner = number(depth);
      return { ...inner, text: `(${inner.text})` };
    }
    const [left, right] = [condition(depth - 1), condition(depth - 1)];
    const isAnd = random.integer(0, 1) === 1;
    const both = (world: World): bigint => (left.value(world) !== 0n && right.value(world) !== 0n ? 1n : 0n);
    const either = (world: World): bigint => (left.value(world) !== 0n || right.value(world) !== 0n ? 1n : 0n);
    return { ...int, text: `(${left.text}) ${isAnd ? '&&' : '||'} (${right.text})`, value: isAnd ? both : either };
  }

  function drawn({ size, signed, bits }: SampleMember): bigint {
    const high = BigInt(random.integer(0, 0xffff_ffff));
    const any = (high << 32n) | BigInt(random.integer(0, 0xffff_ffff));
    const value = one([any, BigInt(random.integer(0, 9)), -1n, 0n, 1n << BigInt(size * 8 - 1)]);
    const width = bits ?? size * 8;
    return signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
  }

  function values(): SampleValues {
    const members = new Map(sampleMembers.map((each) => [each.name, drawn(each)] as const));
    // The half is the upper one of the whole.
    members.set('half', BigInt.asUintN(32, (members.get('whole') ?? 0n) >> 32n));
    const numbers = Array.from({ length: sampleLengths.numbers }, () => BigInt(random.integer(-5, 300)));
    return { members, numbers, text: one(words), name: one(words) };
  }

  return {
    next: () => {
      const { text, value } = condition(random.integer(1, 4));
      const holds = (world: World): boolean => {
        try {
          return value(world) !== 0n;
        } catch (error) {
          if (error instanceof Undefined) return false;
          throw error;
        }
      };
      return { text, holds };
    },
    world: () => ({
      n: BigInt(random.integer(-300, 300)),
      m: one([0n, 3n, 2n ** 63n, 2n ** 64n - 1n, BigInt(random.integer(0, 0xffff_ffff))]),
      c: BigInt(random.integer(0, 255)),
      samples: [values(), values()],
    }),
  };
}
