import { describePart, type Reader } from './fields.ts';
import { text } from './scalars.ts';
import type { Part } from './tree.ts';

/*
 * The values of probes' sources that are more than a text or a number.
 */

/** An absolute URL that fetch(2) would take: http or https. */
export const url: Reader<string> = (problems, part, what) => {
  const given = text(problems, part, what);
  if (given === undefined) return undefined;
  const parsed = URL.canParse(given) ? new URL(given) : undefined;
  const hint = 'such as "http://127.0.0.1:8080/path"';
  if (parsed === undefined || !/^https?:$/u.test(parsed.protocol)) {
    return problems.add(part.at, `${what} must be a URL of http or https, not ${describePart(part)}`, hint);
  }
  if (parsed.username === '' && parsed.password === '') return given;
  return problems.add(part.at, `${what} has a password in it, which reports would show`, 'send it as a header');
};

/** RFC 9110, section 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u;

export const httpMethod: Reader<string> = (problems, part, what) => {
  const given = text(problems, part, what);
  if (given === undefined) return undefined;
  const upper = given.toUpperCase();
  if (token.test(given) && !['CONNECT', 'TRACE'].includes(upper)) return upper;
  return problems.add(part.at, `${what} cannot be ${describePart(part)}`, 'such as GET, POST, PUT or DELETE');
};

export const headers: Reader<Readonly<Record<string, string>>> = (problems, part, what) => {
  if (part.kind !== 'map') {
    return problems.add(
      part.at,
      `${what} must be names with values, not ${describePart(part)}`,
      '{ accept: text/plain }',
    );
  }
  const found: [string, string][] = [];
  for (const { key, keyAt, value } of part.entries) {
    const content = value.kind === 'scalar' && value.value !== null ? headerText(value) : undefined;
    if (!token.test(key)) problems.add(keyAt, `"${key.slice(0, 80)}" cannot be a header`, 'letters, digits and dashes');
    else if (content === undefined) {
      problems.add(value.at, `the header ${key} must be a text of one line`, 'put it in quotation marks');
    } else found.push([key.toLowerCase(), content]);
  }
  return Object.fromEntries(found);
};

/** RFC 9110, section 5.5: visible characters, spaces and tabs. */
function headerText({ value, source }: Extract<Part, { kind: 'scalar' }>): string | undefined {
  const given = typeof value === 'string' ? value : source;
  return /^[\t\u0020-\u007e\u0080-\u00ff]*$/u.test(given) ? given : undefined;
}

/** `200-299`, 404, or a list of them. */
export const successRanges: Reader<readonly (readonly [number, number])[]> = (problems, part, what) => {
  const given = part.kind === 'list' ? part.items : [part];
  const ranges = given.map((one) => statusRange(one));
  const wrong = given[ranges.indexOf(undefined)];
  if (wrong === undefined && ranges.length > 0) return ranges.flatMap((one) => (one === undefined ? [] : [one]));
  const at = (wrong ?? part).at;
  return problems.add(
    at,
    `${what} must be HTTP statuses, not ${describePart(wrong ?? part)}`,
    'such as 200-299 or [200, 404]',
  );
};

function statusRange(part: Part): readonly [number, number] | undefined {
  if (part.kind !== 'scalar') return undefined;
  const [, first = '', last = first] = /^(\d{3})(?: ?- ?(\d{3}))?$/u.exec(part.source) ?? [];
  const [low, high] = [Number(first), Number(last)];
  return first !== '' && low >= 100 && low <= high ? [low, high] : undefined;
}

/** `127.0.0.1:5432`, `[::1]:5432`, `db.internal:5432` */
export const hostAndPort: Reader<{ readonly host: string; readonly port: number }> = (problems, part, what) => {
  const given = part.kind === 'scalar' && typeof part.value === 'string' ? part.value : '';
  const [, bracketed, name, digits = ''] = /^(?:\[([0-9A-Fa-f:.%]+)\]|([\w.-]+)):(\d{1,5})$/u.exec(given) ?? [];
  const [host, port] = [bracketed ?? name, Number(digits)];
  if (host !== undefined && port > 0 && port <= 65_535) return { host, port };
  const problem = `${what} must be a host with a port, not ${describePart(part)}`;
  return problems.add(part.at, problem, 'such as "127.0.0.1:5432" or "[::1]:5432"');
};
