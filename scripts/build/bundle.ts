import path from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

/** Name in `dist/` of each command, and the file that it starts from. */
export const entries = {
  faultline: 'src/cli/bin/faultline.ts',
  chaosd: 'src/cli/bin/chaosd.ts',
} as const;

/** The program behind both commands: all of our own code, in one file. */
const program = { main: 'src/cli/main.ts' } as const;

/**
 * Packages in files of their own, read only by the commands that use them: nobody kills a process with YAML, or with
 * what the service is made of.
 */
const late = [
  'yaml',
  'cli-table3',
  'fastify',
  '@fastify/swagger',
  '@fastify/rate-limit',
  'prom-client',
  'croner',
] as const;

const latePackage = new RegExp(`^(${late.join('|')})$`);

/**
 * What checks input, in files of its own, too. Loaded late from within the one file, all of TypeBox would stand in it:
 * esbuild leaves nothing out of what is imported only when it is needed.
 */
const checks = {
  'schema-check': { imported: /^\.\/schema-check\.ts$/, entry: 'src/base/schema-check.ts' },
  'schema-errors': { imported: /^@sinclair\/typebox\/errors$/, entry: '@sinclair/typebox/errors' },
} as const;

/** Programs of threads of their own: `threadFile` of src/linux/thread.ts finds them by these names. */
export const threads = {
  'mount-hop': 'src/linux/mount/hop-thread.ts',
  'io-thread': 'src/faults/io/io-thread.ts',
  'probe-thread': 'src/runner/probe/thread/probe-thread.ts',
} as const;

/** Commands that are so light that reading the program would be most of their time: in files of their own. */
const light = {
  'why-code': { imported: /^\.\.\/why-code\.ts$/, entry: 'src/cli/why-code.ts' },
  'demo-program': { imported: /^\.\.\/demo-program\.ts$/, entry: 'src/cli/demo-program.ts' },
} as const;

/** What stays a package of its own at run time, because it loads an addon from beside itself. */
const addons = ['koffi', '@photostructure/sqlite'];

export interface BundleOptions {
  readonly root: string;
  readonly outdir: string;
  readonly version: string;
}

/** `@fastify/swagger` → `fastify-swagger.js`: all in one folder, so that they find each other. */
function fileOf(name: string): string {
  return `${name.replace('@', '').replace('/', '-')}.js`;
}

/** An import that becomes a `require` of a file beside the output. */
function beside(filter: RegExp, placeOf: (imported: string) => string): Plugin {
  return {
    name: `beside ${filter.source}`,
    setup(bundler) {
      bundler.onResolve({ filter }, ({ path: imported, kind }) =>
        kind === 'entry-point' ? undefined : { path: placeOf(imported), external: true },
      );
    },
  };
}

/**
 * Node's modules that are slow to load, where a bundled file would load them only in case.
 *
 * commander wants `node:child_process`, and with it all of `node:net`, for commands that are programs of their own, of
 * which there are none here. `createRequire` of `node:module` gives ES modules what this bundle has anyway. undici
 * wants HTTP/2, which no probe speaks, and does without it where Node.js has none.
 */
const builtinStubs: Readonly<Record<string, string>> = {
  'node:child_process': 'module.exports = {};',
  'node:module': 'export const createRequire = () => require;',
  'node:http2': 'throw new Error("HTTP/2 is left out");',
};

const slowBuiltins: Plugin = {
  name: 'slow builtins',
  setup(bundler) {
    bundler.onResolve({ filter: /^node:child_process$/ }, ({ path: builtin, importer }) =>
      importer.includes('/commander/') ? { path: builtin, namespace: 'slow' } : undefined,
    );
    bundler.onResolve({ filter: /^node:http2$/ }, ({ path: builtin, importer }) =>
      importer.includes('/undici/') ? { path: builtin, namespace: 'slow' } : undefined,
    );
    bundler.onResolve({ filter: /^node:module$/ }, ({ path: builtin }) => ({ path: builtin, namespace: 'slow' }));
    bundler.onLoad({ filter: /./, namespace: 'slow' }, ({ path: builtin }) => ({
      contents: builtinStubs[builtin] ?? '',
    }));
  },
};

/**
 * CommonJS, though the sources are ES modules: what a command loads at its start is then one file and some `require`s,
 * where the loader of ES modules takes two to three milliseconds for each chunk, a third of a whole attack.
 *
 * Identifiers stay as they are, so that the functions in a stack trace can be told, without a source map that would
 * have to be shipped. White space goes: every command that starts has to read it.
 */
function options({ root, outdir, version }: BundleOptions): BuildOptions & { readonly metafile: true } {
  return {
    absWorkingDir: root,
    outdir,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    supported: { 'dynamic-import': false },
    define: { __FAULTLINE_VERSION__: JSON.stringify(version), 'import.meta.url': '__filename' },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  };
}

/** @throws Error where a command would load more than its check of the host at once */
function refuseEarly(metafile: Metafile): void {
  for (const { entryPoint, inputs } of Object.values(metafile.outputs)) {
    const early = Object.keys(inputs).filter((input) => !input.startsWith('src/cli/bin/'));
    if (early.length > 0) {
      throw new Error(`${entryPoint} loads ${early.join(', ')} before it has checked the host`);
    }
  }
}

/**
 * Bundles both commands into `outdir`, the program behind them, the packages that it loads late, and the programs of
 * its threads.
 *
 * @returns the paths of all files that were bundled, relative to `root`
 */
export async function bundle(wanted: BundleOptions): Promise<readonly string[]> {
  const common = options(wanted);
  const commands = await build({
    ...common,
    entryPoints: entries,
    plugins: [
      beside(/^\.\.\/main\.ts$/, () => './main.js'),
      ...Object.entries(light).map(([name, { imported }]) => beside(imported, () => `./late/${name}.js`)),
    ],
  });
  refuseEarly(commands.metafile);
  const main = await build({
    ...common,
    entryPoints: program,
    external: addons,
    plugins: [
      beside(latePackage, (name) => `./late/${fileOf(name)}`),
      ...Object.entries(checks).map(([name, { imported }]) => beside(imported, () => `./late/${name}.js`)),
      slowBuiltins,
    ],
  });
  const packages = await build({
    ...common,
    entryPoints: {
      ...Object.fromEntries(late.map((name) => [`late/${path.parse(fileOf(name)).name}`, name])),
      ...Object.fromEntries(Object.entries(checks).map(([name, { entry }]) => [`late/${name}`, entry])),
    },
    // Nobody needs to find their functions in a stack trace, and a third less is to be read.
    minifyIdentifiers: true,
    // What one of them wants of another is there already.
    plugins: [beside(latePackage, (name) => `./${fileOf(name)}`)],
  });
  const apart = await build({
    ...common,
    entryPoints: Object.fromEntries([
      ...Object.entries(threads).map(([name, entry]) => [`late/${name}`, entry]),
      ...Object.entries(light).map(([name, { entry }]) => [`late/${name}`, entry]),
    ]),
    external: addons,
    plugins: [beside(latePackage, (name) => `./${fileOf(name)}`), slowBuiltins],
  });
  return [commands, main, packages, apart].flatMap(({ metafile }) => Object.keys(metafile.inputs));
}
