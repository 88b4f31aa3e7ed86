import { formatDuration } from '../../base/duration.ts';
import { type Json, textOf } from '../../base/json.ts';
import { count, printable } from '../../base/text.ts';
import type { CausedDeathDocument, EventDocument, InjectionDocument } from '../../api/documents.ts';
import type { Effect, TargetVerdict } from '../../faults/fault.ts';

/** How many lines of each list a terminal gets; `-o json` has them all. */
const mostLines = 40;

function cut(lines: readonly string[]): readonly string[] {
  const rest = lines.length - mostLines;
  return rest > 0 ? [...lines.slice(0, mostLines), `  … and ${rest} more (-o json)`] : lines;
}

function field(name: string, value: string): string {
  return `${`${name}:`.padEnd(12)}${value}`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...cut(lines)];
}

function leaseText({ leaseMs, repeatMs }: InjectionDocument): string {
  if (leaseMs === null) return 'none: until it is recovered';
  const every = repeatMs === null ? '' : `, again every ${formatDuration(repeatMs)}`;
  return `${formatDuration(leaseMs)}${every}`;
}

function compact(value: Json): string {
  return printable(JSON.stringify(value));
}

function effectLine(effect: Effect): string {
  const { status, type, target, apply, undo } = effect;
  const undone = undo === null ? 'cannot be undone' : `undo ${compact(undo)}`;
  const what = type === 'signal' ? `signal ${textOf(apply['signal'])}` : type;
  return `  ${status.padEnd(10)} ${what} → ${printable(target.label)}; ${undone}`;
}

function verdictLine({ verdict, target, seen }: TargetVerdict): string {
  return `  ${verdict.padEnd(12)} ${printable(target.label)}: ${printable(seen)}`;
}

function deathLine({ at, pid, nsPid, name, how }: CausedDeathDocument): string {
  const inside = nsPid === null ? '' : `, ${nsPid} in its namespace`;
  return `  ${at}  pid ${pid} (${printable(name)}${inside}): ${printable(how)}`;
}

function eventLine(first: number, { bootMs, type, data }: EventDocument): string {
  const { effects, ...rest } = data;
  const many = Array.isArray(effects) ? ` ${count(effects.length, 'effect')}` : '';
  const more = Object.keys(rest).length === 0 ? '' : ` ${compact(rest)}`;
  return `  +${formatDuration(bootMs - first).padEnd(8)} ${type}${many}${more}`;
}

function errorLines({ error }: InjectionDocument): readonly string[] {
  return error === null ? [] : [field('Error', `${printable(textOf(error['message']))} [${textOf(error['code'])}]`)];
}

/** One injection for a person to read. */
export function injectionText(injection: InjectionDocument): string {
  const { effects, targets, present = [], deaths = [], timeline } = injection;
  const first = timeline[0]?.bootMs ?? 0;
  const of = (phase: 'inject' | 'recover') => targets.filter((one) => one.phase === phase).map(verdictLine);
  return [
    field('UID', injection.uid),
    field('Attack', `${injection.kind} ${injection.action}`),
    field('State', injection.state),
    field('Verdict', injection.verdict ?? 'none yet'),
    field('Created', injection.createdAt),
    field('Lease', leaseText(injection)),
    field('Rounds', String(injection.rounds)),
    field('By', compact(injection.actor)),
    field('Spec', compact(injection.spec)),
    ...errorLines(injection),
    ...section('Effects', effects.map(effectLine)),
    ...section('Seen after injection', of('inject')),
    ...section('Seen after recovery', of('recover')),
    ...section('Now', present.map(verdictLine)),
    ...section('Deaths', deaths.map(deathLine)),
    ...section(
      'Timeline',
      timeline.map((event) => eventLine(first, event)),
    ),
  ].join('\n');
}
