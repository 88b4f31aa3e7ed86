import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { statedLicence } from './licence-texts.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: unknown;
}

const heading = `Faultline's bundle contains code of the packages below, each under its own licence.
`;

/**
 * The text that the licences of bundled packages ask to be passed on.
 *
 * @param inputs paths of all bundled files, relative to `root`
 * @throws Error for a package that has no licence text, because that one may not be bundled
 */
export function thirdPartyNotices(root: string, inputs: readonly string[]): string {
  const folders = [...new Set(inputs.map(packageFolder))].filter((folder) => folder !== undefined);
  const sections = folders
    .map((folder) =>
      section(
        path.join(root, folder),
        inputs.filter((input) => packageFolder(input) === folder),
      ),
    )
    .toSorted();
  return [heading, ...sections].join(`\n${'-'.repeat(80)}\n`);
}

/** `node_modules/a/node_modules/@b/c/lib/x.js` → `node_modules/a/node_modules/@b/c`; undefined for our own files. */
export function packageFolder(input: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(input)?.[0];
}

/**
 * @param inputs the files of the package that are passed on. One that is a bundle itself has the licences of what is in
 *   it beside it, as `NAME.LICENSE.txt`: so does webpack.
 */
function section(folder: string, inputs: readonly string[]): string {
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
  const ofInputs = new Set(inputs.map((input) => `${path.basename(input)}.LICENSE.txt`));
  const texts = readdirSync(folder)
    .filter((name) => /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/iu.test(name) || ofInputs.has(name))
    .toSorted()
    .map((name) => readFileSync(path.join(folder, name), 'utf8').trim());
  const stated = statedLicence(manifest.license, manifest.author);
  if (texts.length === 0 && stated !== undefined) texts.push(stated);
  if (texts.length === 0) {
    throw new Error(`${manifest.name}@${manifest.version} has no licence text that could be passed on`);
  }
  return `${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})\n\n${texts.join('\n\n')}\n`;
}
