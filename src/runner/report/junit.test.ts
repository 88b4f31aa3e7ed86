import { describe, expect, test } from 'vitest';
import { junitReport } from './junit.ts';
import type { RunDocument } from '../result.ts';
import { deviatedRun } from './test-support/deviated-run.ts';
import { heldRun } from './test-support/held-run.ts';
import { abortedRun } from './test-support/other-runs.ts';
import { runs } from './test-support/runs.ts';

/** Names of all cases with what became of them. */
function casesOf(xml: string): Readonly<Record<string, string>> {
  const found = xml.matchAll(/<testcase classname="[^"]*" name="([^"]*)" time="[\d.]+">(?:<(\w+))?/gu);
  return Object.fromEntries([...found].map(([, name = '', result = 'passed']) => [name, result]));
}

describe.each(Object.entries(runs))('JUnit XML of a run: %s', (_name, run) => {
  const xml = junitReport(run());

  test('has no character that XML forbids, and every element ends', () => {
    // https://www.w3.org/TR/xml/#charsets; whether a real parser takes it is tested with a browser's.
    expect(xml).not.toMatch(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
    const open: string[] = [];
    for (const [, closing, name = '', empty] of xml.matchAll(/<(\/?)(\w+)(?:\s+\w+="[^"<]*")*\s*(\/?)>/gu)) {
      if (closing === '/') expect(open.pop()).toBe(name);
      else if (empty !== '/') open.push(name);
    }
    expect(open).toEqual([]);
  });

  test('counts as many as there are', () => {
    const [, tests, failures, errors, skipped] =
      /tests="(\d+)" failures="(\d+)"\s+errors="(\d+)" skipped="(\d+)"/u.exec(xml) ?? [];
    const number = (element: string): string => String(xml.split(`<${element} `).length - 1);
    expect([tests, failures, errors, skipped]).toEqual(['testcase', 'failure', 'error', 'skipped'].map(number));
  });
});

describe('the cases', () => {
  test('of a run that held have all passed', () => {
    expect(new Set(Object.values(casesOf(junitReport(heldRun()))))).toEqual(new Set(['passed']));
  });

  test('say what deviated and when', () => {
    const xml = junitReport(deviatedRun());
    expect(xml).toContain('<failure message="answers: success was 94.1%, expected at least 99.9%, +5.1 s"');
    const cases = casesOf(xml);
    expect(cases['steady before']).toBe('passed');
    expect(cases['method[3]: assert answers: success at least 99%']).toBe('failure');
    expect(cases['method[4]: wait 5 s']).toBe('skipped');
    expect(cases['within the plan']).toBe('failure');
    expect(cases['steady after']).toBe('passed');
  });

  test('of a run that was not steady before begin with an error', () => {
    const cases = Object.entries(casesOf(junitReport(abortedRun())));
    expect(cases[0]?.[1]).toBe('error');
    expect(cases[1]).toEqual(['steady before', 'failure']);
  });

  test('are never all passed where the run did not hold', () => {
    for (const verdict of ['deviated', 'aborted', 'error', null] as const) {
      const run: RunDocument = { ...heldRun(), verdict };
      expect(Object.values(casesOf(junitReport(run))).filter((result) => result !== 'passed')).toHaveLength(1);
    }
  });
});
