import type { TargetVerdict } from '../../faults/fault.ts';
import { printable } from '../../base/text.ts';
import { painterFor } from './style.ts';

/** Longer lists are cut: `show` has them whole. */
const mostLines = 20;

const colors = { confirmed: 'green', mismatch: 'red', inconclusive: 'yellow' } as const;

function mark(verdict: TargetVerdict['verdict']): string {
  return painterFor('stderr')(colors[verdict], verdict.padEnd('inconclusive'.length));
}

/** One line for each target: its verdict, its name, what was seen. */
export function verdictLines(verdicts: readonly TargetVerdict[], most = mostLines): readonly string[] {
  const lines = verdicts
    .slice(0, most)
    .map(({ verdict, target, seen }) => `  ${mark(verdict)}  ${printable(target.label)}: ${printable(seen)}`);
  const rest = verdicts.length - lines.length;
  return rest > 0 ? [...lines, `  … and ${rest} more (faultline show UID)`] : lines;
}
