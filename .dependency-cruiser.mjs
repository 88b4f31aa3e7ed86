/**
 * Which part may import which. `scripts/check-boundaries.ts` runs these rules over the sources, and over a planted
 * violation of each, because a rule whose pattern is wrong looks just like a rule that is kept.
 *
 *   6  cli, server, kubernetes, dashboard      front doors
 *   5  api, runner, demo                       what the front doors ask and answer; experiments and their runs;
 *                                              a service to try them on
 *   4  experiment                              the life of a fault
 *   3  faults/<kind>, forensics
 *   2  targets
 *   1  linux
 *   0  base, store
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
const floors = [
  ['base', 'store'],
  ['linux'],
  ['targets'],
  ['faults', 'forensics'],
  ['experiment'],
  ['api', 'runner', 'demo'],
  ['cli', 'server', 'kubernetes', 'dashboard'],
];

/** `['a', 'b']` → a pattern for all files in `src/a` and `src/b`. */
const inside = (names) => `^src/(${names.join('|')})/`;

/** A package by its name, whether or not it is installed. */
const packaged = (names) => `(^|node_modules/)(${names.join('|')})(/|$)`;

/** Tests beside the code, and what only they use. */
const isTest = '(\\.test\\.ts|/test-support/[^/]+\\.ts)$';

/** A floor may import itself and what is below, so what is above is forbidden. */
const noUpward = floors.slice(0, -1).map((names, floor) => ({
  name: `no-import-runs-up-from-floor-${floor}`,
  comment: `${names.join(' and ')} must not know anything of the floors above`,
  severity: 'error',
  from: { path: inside(names) },
  to: { path: inside(floors.slice(floor + 1).flat()) },
}));

/** The one door that opens another: the command that runs the service, which it loads only then. */
const opensAnotherDoor = '^src/cli/commands/server\\.ts$';

/** Neighbours on one floor do not know each other; store may use base, which is everybody's. */
const noSideways = floors
  .filter((names) => names.length > 1)
  .flatMap((names) =>
    names.map((name) => ({
      name: `no-import-runs-sideways-from-${name}`,
      comment: `${name} must not import its neighbours`,
      severity: 'error',
      from: { path: inside([name]), ...(name === 'cli' ? { pathNot: opensAnotherDoor } : {}) },
      to: { path: inside(names.filter((other) => other !== name && !(name === 'store' && other === 'base'))) },
    })),
  )
  .filter(({ to }) => to.path !== inside([]));

export default {
  forbidden: [
    ...noUpward,
    ...noSideways,
    {
      name: 'no-circles',
      comment: 'files that import each other, over however many steps, are one file in disguise',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'faults-do-not-know-each-other',
      comment: 'what two faults share belongs directly into src/faults, or further down',
      severity: 'error',
      from: { path: '^src/faults/([^/]+)/' },
      to: { path: '^src/faults/[^/]+/', pathNot: '^src/faults/$1/' },
    },
    {
      name: 'faults-come-from-the-registry',
      comment: 'a new fault is a folder and a line in registry.ts; nobody else knows one by name',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/faults/[^/]+/', '^src/faults/registry\\.ts$', isTest] },
      to: { path: '^src/faults/[^/]+/' },
    },
    {
      name: 'only-linux-imports-koffi',
      comment: 'system calls have one place, with their types, tables and errors',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/linux/' },
      to: { path: packaged(['koffi']) },
    },
    {
      name: 'only-store-imports-sqlite',
      comment: 'the format of the state has one place, with its migrations',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/store/' },
      to: { path: packaged(['@photostructure/sqlite', 'node:sqlite', 'sqlite', 'better-sqlite3']) },
    },
    {
      name: 'only-experiment-and-server-import-store',
      comment: 'whatever else needs to know goes through the engine',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(store|experiment|server)/' },
      to: { path: '^src/store/' },
    },
    {
      name: 'dashboard-imports-only-the-types-of-the-api',
      comment: 'the page runs in a browser, and knows the service by its API alone',
      severity: 'error',
      from: { path: '^src/dashboard/' },
      to: { path: '^src/(?!dashboard/)', pathNot: '^src/api/documents\\.ts$' },
    },
    {
      name: 'sources-do-not-import-tests-or-tools',
      comment: 'what is shipped must not reach what is not',
      severity: 'error',
      from: { path: '^src/', pathNot: isTest },
      to: {
        path: [
          '^(test|bench|scripts|examples)/',
          isTest,
          packaged(['vitest', 'fast-check', 'esbuild', 'tsx', 'typescript', 'dependency-cruiser', '@swc/core']),
        ],
      },
    },
    {
      name: 'everything-resolves',
      comment: 'an import that leads nowhere is one that no rule has looked at',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // The default parser needs an API that TypeScript 7 does not have. It then finds no module, and no broken rule.
    parser: 'swc',
    // Imports of types count: a floor must not know the names of the floors above either.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.mts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};
