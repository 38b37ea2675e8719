// Bundles src/main.ts, or the file of a thread, and its packages into one CommonJS file, the input of the executable.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { installFiles } from '../src/install/files.ts';

/** ROOT is the folder of the checkout. */
export const ROOT = join(import.meta.dirname, '..');

/** Stamp says what was built; the program reads it as the global MIDGE_STAMP, which is absent when the sources run. */
export interface Stamp {
  readonly version: string;
  /** Abbreviated commit, with `+` behind it when files differ from it; `unknown` outside a checkout. */
  readonly commit: string;
  /** Time of the commit as ISO 8601 in UTC, so that the same commit gives the same bytes; SOURCE_DATE_EPOCH goes before it. */
  readonly date: string;
}

/** readStamp reads the version from package.json and the rest from git. */
export function readStamp(root = ROOT, environment = process.env): Stamp {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }; // npm demands it
  const git = (...args: string[]) => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
  const seconds = (text: string) => new Date(Number(text) * 1000).toISOString();
  const epoch = environment['SOURCE_DATE_EPOCH'];
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'package.json', 'package-lock.json') !== '';
    const commit = git('rev-parse', '--short=10', 'HEAD') + (changed ? '+' : '');
    return { version, commit, date: seconds(epoch ?? git('log', '-1', '--format=%ct')) };
  } catch {
    return { version, commit: 'unknown', date: seconds(epoch ?? '0') };
  }
}

/** STORE_WORKER is the file of the store's thread, beside the program's: a bundle of its own, for a thread that loads the whole program costs 30 MB more. */
export const STORE_WORKER = 'store-worker.cjs';

/** PAGE_FOLDER holds the files of the page, beside the program's. */
export const PAGE_FOLDER = 'page';

/** LICENCES is the file of the licence texts beside the program's, compressed by gzip. */
export const LICENCES = 'licences.gz';

/** OPENAPI is the file of the OpenAPI document beside the program's, compressed by gzip. */
export const OPENAPI = 'openapi.json.gz';

/** readReleaseKeys reads the public keys whose releases the executable takes: the file that PUBLIC_KEY names, else release.pub; '' when there is none. */
export function readReleaseKeys(root = ROOT, environment = process.env): string {
  const path = environment['PUBLIC_KEY'] || join(root, 'release.pub');
  return environment['PUBLIC_KEY'] || existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/**
 * PACKAGES_APART have a file of their own beside the program's, loaded when they are first needed: Node compiles what it loads, and these
 * are more than half of the whole. A started broker needs none of them before its ports are open.
 */
export const PACKAGES_APART: Readonly<Record<string, string>> = {
  '@peculiar/x509': 'x509.cjs',
  '@hono/node-server': 'hono-node-server.cjs',
  'bonjour-service': 'bonjour-service.cjs',
  'bonjour-service/dist/lib/mdns-server.js': 'mdns-server.cjs',
  hono: 'hono.cjs',
  'hono/cookie': 'hono-cookie.cjs',
  mqtt: 'mqtt.cjs',
  'prom-client': 'prom-client.cjs',
  systeminformation: 'systeminformation.cjs',
  yaml: 'yaml.cjs',
};

const packagesApart: Plugin = {
  name: 'packages apart',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path }) => {
      const file = PACKAGES_APART[path];
      return file === undefined ? undefined : { path: `./${file}`, external: true };
    });
  },
};

/** zod brings its messages in fifty languages, which are more than half of it; ours are English. */
const englishZod: Plugin = {
  name: 'English zod',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ path, resolveDir }) =>
      resolveDir.includes('/zod/')
        ? { path: insideModules(join(resolveDir, path)), namespace: 'english-zod', pluginData: join(resolveDir, path) }
        : undefined,
    );
    onLoad({ filter: /./, namespace: 'english-zod' }, ({ pluginData }) => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: dirname(pluginData as string), // as resolved above
    }));
  },
};

/** esbuild writes the path of such a module into the bundle, which must not tell where the checkout was. */
function insideModules(path: string): string {
  return path.slice(path.lastIndexOf('/node_modules/') + 1);
}

/**
 * bundle writes `outfile`, and PACKAGES_APART beside it if it is the program. Imports of static names, also `import()`, are in it; what is
 * imported on demand is evaluated on demand. Throws when a name can't be resolved, after esbuild has said which.
 */
export async function bundle(options: { entry: string; outfile: string; stamp: Stamp }): Promise<void> {
  await build({
    ...settingsFor(options.stamp),
    entryPoints: [options.entry],
    outfile: options.outfile,
    plugins: [packagesApart, englishZod],
  });
}

/** bundlePackages writes PACKAGES_APART into a folder. */
export async function bundlePackages(folder: string, stamp: Stamp): Promise<void> {
  for (const [name, file] of Object.entries(PACKAGES_APART)) {
    const stdin = { contents: `module.exports = require(${JSON.stringify(name)});`, resolveDir: ROOT, loader: 'js' } as const;
    await build({ ...settingsFor(stamp), stdin, outfile: join(folder, file) });
  }
}

function settingsFor(stamp: Stamp): BuildOptions {
  return {
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    // Files of PACKAGES_APART are required, not imported: what they export has no names that Node's import() could see.
    supported: { 'dynamic-import': false },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    define: {
      MIDGE_STAMP: JSON.stringify(stamp),
      MIDGE_STORE_WORKER: JSON.stringify(STORE_WORKER),
      MIDGE_PAGE_FOLDER: JSON.stringify(PAGE_FOLDER),
      MIDGE_INSTALL_FILES: JSON.stringify(installFiles(null)),
      MIDGE_OPENAPI: JSON.stringify(OPENAPI),
      MIDGE_LICENCES: JSON.stringify(LICENCES),
      MIDGE_RELEASE_KEYS: JSON.stringify(readReleaseKeys()),
      'import.meta.dirname': '__dirname',
      // ws tries two native addons unless it is told not to; an executable has none.
      'process.env.WS_NO_BUFFER_UTIL': '"1"',
      'process.env.WS_NO_UTF_8_VALIDATE': '"1"',
    },
  };
}
