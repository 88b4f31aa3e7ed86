import { readFileSync } from 'node:fs';

/** Put in place of this name by the build, from package.json. Not defined when the sources run as they are. */
declare const __FAULTLINE_VERSION__: string | undefined;

/** Version of the package, such as `0.1.0`. */
export const version: string =
  typeof __FAULTLINE_VERSION__ === 'string' ? __FAULTLINE_VERSION__ : versionInPackageJson();

/** What the sources have in place of the build's constant, when tests or `tsx` run them without a build. */
function versionInPackageJson(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed && typeof parsed.version === 'string') {
    return parsed.version;
  }
  throw new TypeError('package.json has no version');
}
