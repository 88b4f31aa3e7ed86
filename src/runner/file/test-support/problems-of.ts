import { isFaultlineError } from '../../../base/error.ts';
import type { Problem } from '../problems.ts';
import { readExperiment } from '../read.ts';

/** A file in which nothing is wrong. */
export const goodFile = `experiment: kill-one
hypothesis: One is enough.
steadyState:
  probes:
    answers:
      http: { url: "http://127.0.0.1:8080/", rate: 100/s }
      expect: { success: { atLeast: 99% } }
    servers:
      process: api
      expect: { count: 2 }
method:
  - attack: process kill
    name: kill one
    with: { process: api, mode: one }
  - wait: 5s
blastRadius: { targets: 1, duration: 60s }
`;

/** The good file with something else in the place of a part of it. */
export function changed(part: string, other: string): string {
  if (!goodFile.includes(part)) throw new Error(`the file has no ${part}`);
  return goodFile.replace(part, () => other);
}

/** What is wrong with it; a part of the good file, what stands in its place, and all that is told. */
export type BadFile = readonly [what: string, part: string, other: string, told: readonly string[]];

/** All that is wrong in a file, each as `line:column: problem; hint`. */
export async function problemsOf(text: string): Promise<readonly string[]> {
  try {
    await readExperiment(text, 'x.yaml');
    return [];
  } catch (error) {
    if (!isFaultlineError(error, 'EXPERIMENT_INVALID')) throw error;
    const problems = error.details?.['problems'] as readonly Problem[];
    return problems.map(({ line, column, problem, hint }) => `${line}:${column}: ${problem}; ${hint}`);
  }
}
