import path from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = path.resolve(import.meta.dirname, '../..');

/** What is done that others can see, by file, and how the steps of it are had. */
const deeds: Readonly<Record<string, { readonly names: readonly string[]; readonly trap: string }>> = {
  'src/linux/mount/fuse-mount.ts': { names: ['createFuseMount'], trap: 'trapped' },
  'src/linux/mount/attach.ts': { names: ['attach', 'detach'], trap: 'trapped' },
  'src/linux/fuse/session.ts': { names: ['startFuseSession'], trap: 'trapped' },
  'src/linux/repoint/repoint.ts': { names: ['repoint'], trap: 'trappedSteps' },
  'src/faults/io/daemon/channel.ts': { names: ['listenAt'], trap: 'trapped' },
  'src/faults/io/daemon/record.ts': { names: ['writeRecord', 'removeTraces'], trap: 'trapped' },
  'src/faults/io/daemon/send-repointer.ts': { names: ['sendRepointer'], trap: 'trapped' },
};

/** Puts the traps of `io-trap.ts` around what these files export. */
const traps: Plugin = {
  name: 'traps',
  setup(bundler) {
    bundler.onResolve({ filter: /\.ts$/ }, ({ path: imported, resolveDir, namespace }) => {
      const file = path.resolve(resolveDir, imported);
      if (namespace === 'trapped' || deeds[path.relative(root, file)] === undefined) return undefined;
      return { path: file, namespace: 'trapped' };
    });
    bundler.onLoad({ filter: /./, namespace: 'trapped' }, ({ path: file }) => {
      const deed = deeds[path.relative(root, file)];
      if (deed === undefined) throw new Error(`nothing is known of ${file}`);
      const own = deed.names.map((name) => `export const ${name} = ${deed.trap}('${name}', real.${name});`);
      const contents = [
        `import * as real from ${JSON.stringify(file)};`,
        `import { ${deed.trap} } from ${JSON.stringify(path.join(root, 'test/support/io-trap.ts'))};`,
        `export * from ${JSON.stringify(file)};`,
        ...own,
      ].join('\n');
      return { contents, loader: 'ts', resolveDir: path.dirname(file) };
    });
  },
};

/**
 * Bundle the command line such that it, and the processes that it starts, can be made to die at a chosen step: of the
 * engine as `crashing-program.ts` says, of faults in files as `io-trap.ts` says.
 *
 * @returns the script
 */
export async function buildIoCrashingProgram(): Promise<string> {
  const script = path.join(root, 'node_modules/.cache/faultline-test', `io-crashing-${process.pid}.mjs`);
  await build({
    entryPoints: [path.join(root, 'test/support/crashing-program.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    outfile: script,
    external: ['koffi', '@photostructure/sqlite'],
    plugins: [traps],
    define: { __FAULTLINE_VERSION__: '"0.0.0-test"' },
    banner: { js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);" },
    logLevel: 'error',
  });
  return script;
}
