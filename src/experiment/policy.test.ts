import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readPolicy } from './policy.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'faultline-policy-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function written(text: string): NodeJS.ProcessEnv {
  const file = path.join(folder, 'policy.yaml');
  writeFileSync(file, text);
  return { FAULTLINE_POLICY: file };
}

describe('readPolicy', () => {
  test('reads names and limits', async () => {
    const policy = await readPolicy(written('protect: [postgres, etcd]\nmaxTargets: 10\nmaxPercent: 33.3\n'));
    expect(policy).toMatchObject({ protect: ['postgres', 'etcd'], maxTargets: 10, maxPercent: 33.3 });
  });

  test('an empty file limits nothing', async () => {
    expect(await readPolicy(written('# nothing\n'))).toMatchObject({ protect: [], maxTargets: undefined });
  });

  test.each(['protect: postgres', 'maxTargets: 0', 'maxTargets: many', 'maxPercent: 101', 'protcet: [a]', '{', '- a'])(
    '%j is refused: a policy that cannot be read is never taken for none',
    async (text) => {
      await expect(readPolicy(written(text))).rejects.toMatchObject({ code: 'POLICY_INVALID' });
    },
  );

  test('one that is named and not there is refused, too', async () => {
    const gone = { FAULTLINE_POLICY: path.join(folder, 'gone.yaml') };
    await expect(readPolicy(gone)).rejects.toMatchObject({ code: 'POLICY_INVALID' });
  });
});
