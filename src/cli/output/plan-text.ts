import { printable } from '../../base/text.ts';
import type { LeftOut, Plan, PlannedTarget } from '../../faults/fault.ts';

/** What would be done to a target, as a line. */
export function targetLine(target: PlannedTarget): string {
  const { argv, uid } = target.about;
  const command = Array.isArray(argv) ? argv.join(' ') : '';
  const about = command === '' ? '' : `  ${printable(command.slice(0, 80))}`;
  const owner = typeof uid === 'number' ? ` uid ${uid}` : '';
  const doubt = target.doubt === undefined ? '' : `  ! ${printable(target.doubt)}`;
  return `  ${printable(target.does)} → ${printable(target.label)}${owner}${about}${doubt}`;
}

/** Why a target would not be touched, as a line. */
export function leftOutLine({ label, rule, reason }: LeftOut): string {
  return `  ${printable(label)}: rule "${rule}": ${printable(reason)}`;
}

/** What a dry run prints. */
export function planText(plan: Plan): string {
  const lines = [
    `Dry run: attack ${plan.kind} ${plan.action} would touch ${plan.targets.length} of ${plan.matched} matched`,
    ...plan.targets.map(targetLine),
  ];
  if (plan.leftOut.length > 0) lines.push('Left out:', ...plan.leftOut.map(leftOutLine));
  for (const note of plan.notes) lines.push(`Note: ${printable(note)}`);
  if (plan.listing !== undefined) lines.push(...plan.listing.map(printable));
  lines.push('Nothing was touched.');
  return lines.join('\n');
}
