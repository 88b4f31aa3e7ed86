import type {
  CommandSource,
  FileSource,
  HttpSource,
  LogSource,
  ProbeSource,
  ProcessSource,
  PrometheusSource,
  TcpSource,
} from '../experiment.ts';
import { type Fields, fieldsOf, listOf, mapIn, optional, type Reader, required } from './fields.ts';
import { duration, interval, rate, regex, text, word } from './scalars.ts';
import { headers, hostAndPort, httpMethod, successRanges, url } from './source-values.ts';
import type { Problems } from './problems.ts';
import type { Part } from './tree.ts';

/*
 * Where probes get their numbers from, with every default.
 */

const defaults = { everyMs: 1000, timeoutMs: 5000, rate: 10 } as const;

/** An argument list; numbers in it are words, too. */
export const argumentList: Reader<readonly string[]> = (problems, part, what) => {
  if (part.kind === 'scalar' && typeof part.value === 'string') {
    const parts = part.value.trim().split(/\s+/u).slice(0, 6).join(', ');
    return problems.add(part.at, `${what} must be a list: no shell reads it`, `write [${parts}]`);
  }
  const argv = listOf(word, '[program, argument]')(problems, part, what);
  if (argv === undefined) return undefined;
  if (argv.length === 0) return problems.add(part.at, `${what} names no program`, 'write [program, argument]');
  if (argv.some((one) => one.includes('\0'))) return problems.add(part.at, `${what} has a zero byte`, 'take it away');
  return argv;
};

interface Common {
  readonly everyMs: number;
  readonly timeoutMs: number;
}

function commonOf(fields: Fields, everyMs: number = defaults.everyMs): Common {
  return {
    everyMs: optional(fields, 'every', interval) ?? everyMs,
    timeoutMs: optional(fields, 'timeout', duration) ?? defaults.timeoutMs,
  };
}

/** The fields of a source that was written in full. */
type Full<Source> = (fields: Fields) => Source | undefined;

interface SourceForm<Source> {
  readonly keys: readonly string[];
  readonly example: string;
  readonly full: Full<Source>;
  /** What a source is that consists of one value only. */
  readonly short?: (problems: Problems, part: Part) => Source | undefined;
}

const http: SourceForm<HttpSource> = {
  keys: ['url', 'method', 'headers', 'body', 'rate', 'timeout', 'success'],
  example: '{ url: "http://127.0.0.1:8080/", rate: 100/s }',
  full: (fields) => {
    const address = required(fields, 'url', url, 'http', 'url: "http://127.0.0.1:8080/"');
    const rest = {
      method: optional(fields, 'method', httpMethod) ?? 'GET',
      headers: optional(fields, 'headers', headers) ?? {},
      body: optional(fields, 'body', text),
      rate: optional(fields, 'rate', requestRate) ?? defaults.rate,
      timeoutMs: optional(fields, 'timeout', duration) ?? defaults.timeoutMs,
      success: optional(fields, 'success', successRanges) ?? [[200, 299] as const],
    };
    return address === undefined ? undefined : { kind: 'http', url: address, ...rest };
  },
  short: (problems, part) => {
    const address = url(problems, part, 'http');
    if (address === undefined) return undefined;
    const { rate: usual, timeoutMs } = defaults;
    const success = [[200, 299] as const];
    return { kind: 'http', url: address, method: 'GET', headers: {}, body: undefined, rate: usual, timeoutMs, success };
  },
};

/** What one process can send without becoming the bottleneck, and seldom enough to be of use. */
const requestRate: Reader<number> = (problems, part, what) => {
  const perSecond = rate(problems, part, what);
  if (perSecond === undefined || (perSecond > 0 && perSecond <= 5000)) return perSecond;
  return problems.add(part.at, `${what} must be above zero, and at most 5000/s`, 'such as 100/s');
};

const tcp: SourceForm<TcpSource> = {
  keys: ['address', 'every', 'timeout'],
  example: '127.0.0.1:5432, or { address: "127.0.0.1:5432", every: 1s }',
  full: (fields) => {
    const address = required(fields, 'address', hostAndPort, 'tcp', 'address: "127.0.0.1:5432"');
    const common = commonOf(fields);
    return address === undefined ? undefined : { kind: 'tcp', ...address, ...common };
  },
  short: (problems, part) => {
    const address = hostAndPort(problems, part, 'tcp');
    const { everyMs, timeoutMs } = defaults;
    return address === undefined ? undefined : { kind: 'tcp', ...address, everyMs, timeoutMs };
  },
};

const command: SourceForm<CommandSource> = {
  keys: ['run', 'every', 'timeout'],
  example: '[program, argument], or { run: [program, argument], every: 1s }',
  full: (fields) => {
    const argv = required(fields, 'run', argumentList, 'command', 'run: [program, argument]');
    const common = commonOf(fields);
    return argv === undefined ? undefined : { kind: 'command', argv, ...common };
  },
  short: (problems, part) => {
    const argv = argumentList(problems, part, 'command');
    const { everyMs, timeoutMs } = defaults;
    return argv === undefined ? undefined : { kind: 'command', argv, everyMs, timeoutMs };
  },
};

const process: SourceForm<ProcessSource> = {
  keys: ['name', 'every'],
  example: 'nginx, or { name: nginx, every: 1s }',
  full: (fields) => {
    const name = required(fields, 'name', word, 'process', 'name: nginx');
    const { everyMs } = commonOf(fields);
    return name === undefined ? undefined : { kind: 'process', process: name, everyMs };
  },
  short: (problems, part) => {
    const name = word(problems, part, 'process');
    return name === undefined ? undefined : { kind: 'process', process: name, everyMs: defaults.everyMs };
  },
};

const log: SourceForm<LogSource> = {
  keys: ['path', 'pattern', 'every'],
  example: "{ path: /var/log/nginx/error.log, pattern: 'upstream' }",
  full: (fields) => {
    const path = required(fields, 'path', word, 'log', 'path: /var/log/syslog');
    const pattern = required(fields, 'pattern', regex, 'log', "pattern: 'a regex'");
    const { everyMs } = commonOf(fields);
    return path === undefined || pattern === undefined ? undefined : { kind: 'log', path, pattern, everyMs };
  },
};

const prometheus: SourceForm<PrometheusSource> = {
  keys: ['url', 'query', 'every', 'timeout'],
  example: "{ url: 'http://127.0.0.1:9090', query: 'sum(up)' }",
  full: (fields) => {
    const address = required(fields, 'url', url, 'prometheus', "url: 'http://127.0.0.1:9090'");
    const query = required(fields, 'query', word, 'prometheus', "query: 'sum(up)'");
    const common = commonOf(fields, 5000);
    return address === undefined || query === undefined
      ? undefined
      : { kind: 'prometheus', url: address, query, ...common };
  },
};

const file: SourceForm<FileSource> = {
  keys: ['path', 'every'],
  example: '/run/app.ready, or { path: /run/app.ready, every: 1s }',
  full: (fields) => {
    const path = required(fields, 'path', word, 'file', 'path: /run/app.ready');
    const { everyMs } = commonOf(fields);
    return path === undefined ? undefined : { kind: 'file', path, everyMs };
  },
  short: (problems, part) => {
    const path = word(problems, part, 'file');
    return path === undefined ? undefined : { kind: 'file', path, everyMs: defaults.everyMs };
  },
};

const forms: { readonly [Kind in ProbeSource['kind']]: SourceForm<ProbeSource> } = {
  http,
  tcp,
  command,
  process,
  log,
  prometheus,
  file,
};

/** The kinds of probes there are, as keys of a probe. */
export const sourceKinds = Object.keys(forms) as readonly ProbeSource['kind'][];

/** The keys of a source that was written in full; for the reference and its test. */
export const sourceKeys = (kind: ProbeSource['kind']): readonly string[] => forms[kind].keys;

/** What follows a probe's kind: in full, as a map, or short, as one value. */
export function sourceOf(problems: Problems, part: Part, kind: ProbeSource['kind']): ProbeSource | undefined {
  const { keys, example, full, short } = forms[kind];
  if (part.kind !== 'map' && short !== undefined) return short(problems, part);
  const map = mapIn(problems, part, kind, example);
  return map === undefined ? undefined : full(fieldsOf(problems, map, kind, keys));
}
