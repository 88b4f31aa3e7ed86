import type { IntegerType, IntegerSize, PointerType, Space } from './c-types.ts';
import type { BinaryOperator, Comparison } from './syntax.ts';

/*
 * A predicate that is checked: what it reads, and what is computed from it, in the order in which it is computed. Each
 * value fills 64 bits: those of a smaller type with its sign, or with noughts.
 */

export type ValueType = IntegerType | PointerType;

/** A value that is not wholly read, because some memory cannot be, makes the predicate false; so does x / 0. */
export type Typed =
  | { readonly kind: 'constant'; readonly value: bigint; readonly type: ValueType }
  /** Counted from 0. */
  | { readonly kind: 'parameter'; readonly index: number; readonly type: ValueType }
  | {
      readonly kind: 'load';
      readonly address: Typed;
      readonly offset: number;
      readonly size: IntegerSize;
      /** A bit-field: so many bits from the lowest of what is loaded on. */
      readonly bits: { readonly shift: number; readonly width: number } | undefined;
      readonly space: Space;
      readonly type: ValueType;
    }
  | { readonly kind: 'negate' | 'invert'; readonly operand: Typed; readonly type: IntegerType }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Typed;
      readonly right: Typed;
      readonly type: ValueType;
    }
  /** The lower bytes of another value. */
  | { readonly kind: 'convert'; readonly operand: Typed; readonly type: ValueType }
  | {
      readonly kind: 'compare';
      readonly operator: Comparison;
      readonly left: Typed;
      readonly right: Typed;
      readonly signed: boolean;
      readonly type: IntegerType;
    }
  | { readonly kind: 'not'; readonly operand: Typed; readonly type: IntegerType }
  | { readonly kind: 'and' | 'or'; readonly left: Typed; readonly right: Typed; readonly type: IntegerType }
  /** Are the first bytes at an address those of a text, of which the NUL may be one? */
  | {
      readonly kind: 'text';
      readonly address: Typed;
      readonly space: Space;
      readonly bytes: Buffer;
      readonly type: IntegerType;
    };
