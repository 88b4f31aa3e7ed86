import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { type Static, array, integer, number, object, optional, string } from '../base/schema-types.ts';
import { FaultlineError } from '../base/error.ts';
import { parseInput } from '../base/schema.ts';
import { printable } from '../base/text.ts';

const schema = object(
  {
    protect: optional(array(string({ minLength: 1 }))),
    maxTargets: optional(integer({ minimum: 1 })),
    maxPercent: optional(number({ exclusiveMinimum: 0, maximum: 100 })),
  },
  { additionalProperties: false },
);

/** What the operator of the host allows at most; a command's own flags may be stricter, never laxer. */
export interface Policy {
  /** The file it was read from, if there is one. */
  readonly file: string | undefined;
  /** Names of processes that are never hit, beside the built-in ones. */
  readonly protect: readonly string[];
  readonly maxTargets: number | undefined;
  readonly maxPercent: number | undefined;
}

/** `FAULTLINE_POLICY`, else `/etc/faultline/policy.yaml` for root, else the one in the user's configuration folder. */
function policyFile(env: NodeJS.ProcessEnv = process.env): { readonly path: string; readonly named: boolean } {
  const named = env['FAULTLINE_POLICY'];
  if (named !== undefined && named !== '') return { path: named, named: true };
  if (process.geteuid?.() === 0) return { path: '/etc/faultline/policy.yaml', named: false };
  const xdg = env['XDG_CONFIG_HOME'];
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.config');
  return { path: join(base, 'faultline/policy.yaml'), named: false };
}

async function parsePolicy(text: string): Promise<Static<typeof schema>> {
  const { parse } = await import('yaml');
  const value: unknown = parse(text);
  return parseInput(schema, value ?? {});
}

/**
 * Read the policy of this host; without a file nothing is limited beyond the built-in rules.
 *
 * @throws {FaultlineError} POLICY_INVALID: a policy that cannot be read is never taken for none
 */
export async function readPolicy(env: NodeJS.ProcessEnv = process.env): Promise<Policy> {
  const { path, named } = policyFile(env);
  try {
    if (!named && statSync(path, { throwIfNoEntry: false }) === undefined) {
      return Object.freeze({ file: undefined, protect: [], maxTargets: undefined, maxPercent: undefined });
    }
    const policy = await parsePolicy(readFileSync(path, 'utf8'));
    return Object.freeze({
      file: path,
      protect: policy.protect ?? [],
      maxTargets: policy.maxTargets,
      maxPercent: policy.maxPercent,
    });
  } catch (cause) {
    const hint = cause instanceof FaultlineError ? cause.hint : undefined;
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new FaultlineError(
      'POLICY_INVALID',
      `the policy ${printable(path)} cannot be used: ${printable(reason ?? '')}`,
      {
        hint: hint ?? 'it is YAML with the keys protect (list of names), maxTargets and maxPercent',
        cause,
      },
    );
  }
}
