// Bundles src/main.ts, the file of its thread and their packages into CommonJS files, the input of the executable.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { build, type Plugin, type TransformOptions, transform } from 'esbuild';
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

/** MAIN is the file of the program. */
export const MAIN = 'main.cjs';

/** STORE_WORKER is the file of the store's thread, beside the program's: a thread that loads the whole program costs 30 MB more. */
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

const SETTINGS = { platform: 'node', target: 'node24', minifySyntax: true, minifyWhitespace: true, logLevel: 'warning' } as const;

/** esbuild splits ES modules only, and the executable takes CommonJS. */
const COMMON_JS: TransformOptions = {
  ...SETTINGS,
  format: 'cjs',
  supported: { 'dynamic-import': false }, // what is required has no names that Node's import() could see
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

/** Of a CommonJS package that is imported on demand esbuild gives the default only, and Node, which runs the sources, all its names. */
const noPackagesOnDemand: Plugin = {
  name: 'no packages on demand',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind, importer }) => {
      if (kind !== 'dynamic-import' || path.startsWith('node:') || importer.includes('/node_modules/')) return undefined;
      return { errors: [{ text: `${path} is imported on demand: import it in a module of ours, and that on demand` }] };
    });
  },
};

/** esbuild writes the path of such a module into the bundle, which must not tell where the checkout was. */
function insideModules(path: string): string {
  return path.slice(path.lastIndexOf('/node_modules/') + 1);
}

/**
 * bundle writes the program (MAIN), the file of its thread (STORE_WORKER) and what they load on demand into `folder`, and gives the names of the
 * files. Node compiles the whole of a file that it loads, so what one command needs is not in the way of another: an `import()` begins a file.
 * Throws when a name can't be resolved, after esbuild has said which.
 */
export async function bundle(folder: string, stamp: Stamp): Promise<string[]> {
  const { outputFiles } = await build({
    ...SETTINGS,
    entryPoints: { [stem(MAIN)]: join(ROOT, 'src/main.ts'), [stem(STORE_WORKER)]: join(ROOT, 'src/store/store-worker.ts') },
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    chunkNames: 'part-[hash]',
    write: false,
    plugins: [englishZod, noPackagesOnDemand],
    bundle: true,
    splitting: true,
    format: 'esm',
    legalComments: 'none',
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
  });
  mkdirSync(folder, { recursive: true });
  for (const { path, text } of outputFiles) writeFileSync(path, (await transform(text, COMMON_JS)).code);
  return outputFiles.map(({ path }) => basename(path));
}

function stem(file: string): string {
  return basename(file, '.cjs');
}
