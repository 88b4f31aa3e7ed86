import { type JsonObject, toJson } from '../base/json.ts';
import { type Answer, answer, type AnswerTable, type Cause } from './answer.ts';
import { timeText, wallMs } from './kernel-log/envelope.ts';
import type { OomVictim } from './kernel-log/oom-lines.ts';
import type { OomReport } from './kernel-log/oom-report.ts';
import { analyseOom, type OomAnalysis, victimPageTablesKib } from './oom-analysis.ts';

const mib = (kib: number): string => `${Math.round((kib / 1024) * 10) / 10} MiB`;

/** Where memory ran out, as a phrase. */
function place({ scope, limitCgroup, usage }: OomReport): string {
  if (scope === 'cgroup') {
    const limit = usage['memory']?.limitKib;
    const amount = limit === undefined ? '' : ` of ${mib(limit)}`;
    return `the cgroup ${limitCgroup ?? '(not named)'} reached its limit${amount}`;
  }
  if (scope === 'cpuset') return 'the memory nodes of its cpuset ran out of memory';
  if (scope === 'mempolicy') return 'the memory nodes of its NUMA policy (mbind, numactl) ran out of memory';
  return 'the host ran out of memory';
}

function nextSteps({ scope, how }: OomReport): readonly string[] {
  if (how === 'sysrq') return ['who wrote to /proc/sysrq-trigger, or pressed SysRq-f?'];
  const steps =
    scope === 'cgroup'
      ? ['raise the limit (memory.max, MemoryMax=, resources.limits.memory), or make it use less']
      : ['what uses the memory: faultline oom shows who would be next; add RAM, or limit it in a cgroup'];
  return [
    ...steps,
    'does it grow without end? then it is a leak, and any limit only delays it',
    'to spare it: a lower oom_score_adj (OOMScoreAdjust=); another is killed instead',
  ];
}

function victimSizes(victim: OomVictim, report: OomReport): string {
  const { anonRssKib, fileRssKib, shmemRssKib, totalVmKib } = victim;
  const pageTables = victimPageTablesKib(victim, report.tasks);
  const tables = pageTables === null ? '' : `, ${mib(pageTables)} of page tables`;
  const resident = `${mib(anonRssKib)} anonymous, ${mib(fileRssKib)} file, ${mib(shmemRssKib)} shared memory`;
  return `it had ${resident} resident${tables}, of ${mib(totalVmKib)} mapped`;
}

function whenText({ time, host }: OomReport): readonly string[] {
  const at = timeText(time);
  const where = host === null ? '' : ` on ${host}`;
  return at === '' && where === '' ? [] : [`told by the kernel log${where}${at === '' ? '' : `, ${at}`}`];
}

function triggerText({ trigger, victims }: OomReport): readonly string[] {
  if (trigger === null) return [];
  const { name, pid, gfpMask, order } = trigger;
  const who = pid === null ? name : `pid ${pid} (${name})`;
  const itself = pid !== null && pid === victims[0]?.pid ? ', the victim itself,' : '';
  const pages =
    order !== null && order > 3
      ? `; it asked for ${2 ** order} pages in one piece, which fragmented memory may not have`
      : '';
  const lowmem =
    gfpMask !== null && /GFP_DMA\b|GFP_DMA32/.test(gfpMask) ? '; it asked for DMA memory, which is scarce' : '';
  return [`${who}${itself} asked for memory when there was none${pages}${lowmem}`];
}

/** What became of somebody: of a victim, or of one who is known by other lines of the report. */
function killCause(
  report: OomReport,
  analysis: OomAnalysis,
  victim: { readonly pid: number; readonly name: string },
): Cause {
  const full = report.victims.find((one) => one.pid === victim.pid);
  const sizes = full === undefined ? [] : [victimSizes(full, report)];
  const told = full === undefined ? ['the line of the kill itself is missing in this log'] : [];
  const at = wallMs(report.time);
  return {
    id: 'oom-killer',
    ...(at === undefined ? {} : { at }),
    likelihood: full === undefined || report.doubts.length > 0 ? 'likely' : 'certain',
    title: `the OOM killer killed pid ${victim.pid} (${victim.name}): ${place(report)}`,
    evidence: [...whenText(report), ...sizes, ...analysis.reasons, ...triggerText(report), ...told, ...report.doubts],
    next: nextSteps(report),
  };
}

function undecided(report: OomReport, analysis: OomAnalysis): Cause {
  const { panic, chosen, how } = report;
  const common = { evidence: [...analysis.reasons, ...triggerText(report)], next: nextSteps(report) };
  if (how === 'panic') {
    const title = `the kernel panicked instead of killing: vm.panic_on_oom is ${panic === 'compulsory' ? '2' : '1'}`;
    return { ...common, id: 'oom-panic', likelihood: 'certain', title };
  }
  if (how === 'nobody') {
    const title = `${place(report)}, and nobody was left who may be killed`;
    return { ...common, id: 'oom-nobody', likelihood: 'certain', title };
  }
  if (chosen !== null) {
    const title = `the OOM killer chose pid ${chosen.pid} (${chosen.name}), or a child of it: ${place(report)}`;
    return { ...common, id: 'oom-killer', likelihood: 'likely', title };
  }
  const title = `${place(report)}; who was killed is not in this log`;
  return { ...common, id: 'oom-killer', likelihood: 'possible', title };
}

/** So many rows of the table are shown: those that count stand first. */
const mostRows = 10;

function candidatesTable(
  { victims, supposed }: OomReport,
  { candidates, totalKib }: OomAnalysis,
): readonly AnswerTable[] {
  if (candidates.length === 0) return [];
  const killed = new Set([...victims, ...(supposed === null ? [] : [supposed])].map(({ pid }) => pid));
  const shown = candidates.filter(({ pid }, index) => index < mostRows || killed.has(pid));
  const rows = shown.map((one) => [
    String(one.pid),
    one.name,
    String(one.uid),
    mib(one.rssKib),
    mib(one.swapKib),
    mib(one.pageTablesKib),
    String(one.oomScoreAdj),
    one.spared === null ? String(one.badness ?? 'unknown') : `none (${one.spared})`,
    killed.has(one.pid) ? 'killed' : '',
  ]);
  const rest = candidates.length - shown.length;
  const more = rest > 0 ? `, the first ${shown.length} of ${candidates.length}` : '';
  const total = totalKib === null ? '' : ` of ${mib(totalKib)}`;
  return [
    {
      title: `Candidates by badness (pages${total})${more}`,
      columns: ['PID', 'NAME', 'UID', 'RESIDENT', 'SWAPPED', 'PAGE TABLES', 'ADJ', 'BADNESS', ''],
      rows,
    },
  ];
}

/** One visit of the OOM killer: who was killed, why that one, who else might have been, and what to do. */
export function explainOom(question: string, report: OomReport): Answer {
  const analysis = analyseOom(report);
  const { victims, supposed, reaped } = report;
  const killed = victims.length > 0 ? victims : supposed === null ? [] : [supposed];
  const [first] = killed;
  const cause = first === undefined ? undecided(report, analysis) : killCause(report, analysis, first);
  const others = killed.slice(1).map(({ pid, name }) => `pid ${pid} (${name})`);
  const notes = [
    ...(others.length === 0 ? [] : [`killed with it: ${others.join(', ')}`]),
    ...(reaped.length > 0 ? ['its memory was freed at once (oom_reaper)'] : []),
  ];
  return answer({
    question,
    summary: cause.title,
    causes: [cause],
    notes,
    tables: candidatesTable(report, analysis),
    facts: toJson({ ...report, analysis }) as JsonObject,
  });
}
