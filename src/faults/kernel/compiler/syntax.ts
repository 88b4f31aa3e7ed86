import type { Span } from './source.ts';
import type { TypeName } from './type-name.ts';

/*
 * A predicate as it was written.
 */

export const binaryOperators = ['*', '/', '%', '+', '-', '<<', '>>', '&', '^', '|'] as const;
export type BinaryOperator = (typeof binaryOperators)[number];

export const comparisons = ['==', '!=', '<', '<=', '>', '>='] as const;
export type Comparison = (typeof comparisons)[number];

export type UnaryOperator = '!' | '-' | '+' | '~' | '*' | '&';

export type Expression = Span &
  (
    | { readonly kind: 'number'; readonly value: bigint; readonly suffix: string; readonly text: string }
    | { readonly kind: 'text'; readonly bytes: Buffer }
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
    | {
        readonly kind: 'binary';
        readonly operator: BinaryOperator | Comparison | '&&' | '||';
        readonly left: Expression;
        readonly right: Expression;
        /** Of the sign between them. */
        readonly at: Span;
      }
    | {
        readonly kind: 'member';
        readonly of: Expression;
        readonly arrow: boolean;
        readonly name: string;
        readonly at: Span;
      }
    | { readonly kind: 'index'; readonly of: Expression; readonly index: Expression }
    | { readonly kind: 'cast'; readonly type: TypeName; readonly operand: Expression }
    | { readonly kind: 'sizeof'; readonly type: TypeName }
    | { readonly kind: 'call'; readonly name: string; readonly at: Span; readonly parameters: readonly Expression[] }
  );
