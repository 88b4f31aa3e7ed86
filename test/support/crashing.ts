import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '../..');

/** Bundle the command line with its trap, once; @returns the script. */
export async function buildCrashingProgram(): Promise<string> {
  const script = path.join(root, 'node_modules/.cache/faultline-test', `crashing-${process.pid}.mjs`);
  await build({
    entryPoints: [path.join(root, 'test/support/crashing-program.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    outfile: script,
    external: ['koffi', '@photostructure/sqlite'],
    define: { __FAULTLINE_VERSION__: '"0.0.0-test"' },
    banner: { js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);" },
    logLevel: 'error',
  });
  return script;
}
