import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '../..');

/**
 * Bundle a program with a trap, once.
 *
 * @param name of its file in `test/support`, without the extension; by default the command line with its trap
 * @returns the script
 */
export async function buildCrashingProgram(name = 'crashing-program'): Promise<string> {
  const script = path.join(root, 'node_modules/.cache/faultline-test', `${name}-${process.pid}.mjs`);
  await build({
    entryPoints: [path.join(root, `test/support/${name}.ts`)],
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
