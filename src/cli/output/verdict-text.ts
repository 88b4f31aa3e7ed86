import type { TargetVerdict } from '../../faults/fault.ts';
import { printable } from '../../base/text.ts';
import type { Invocation } from '../invocation.ts';
import { isWatched, painterFor, remark } from './style.ts';

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

/** Who watches is told of each target; anybody is told of those of which nothing is known. */
export function remarkVerdicts({ program }: Invocation, verdicts: readonly TargetVerdict[]): void {
  const watched = isWatched('stderr') && program === 'faultline';
  const doubtful = verdicts.filter(({ verdict }) => verdict === 'inconclusive');
  for (const line of verdictLines(watched ? verdicts : doubtful)) remark(line);
}
