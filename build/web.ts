// Builds the page of src/web/ into dist/web/, or into FOLDER: files with a hash in their name, compressed once and for all.
// node build/web.ts [FOLDER]
//
//   src/web/index.html --vite--> index.html, assets/*-HASH.js, assets/*-HASH.css --gzip--> FOLDER/*.gz, and FOLDER/files.json with their names

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { PAGE_INDEX } from '../src/app/page-files.ts';
import { ROOT } from './bundle.ts';

/** WEB_FOLDER is where the program looks for the page when its sources run. */
export const WEB_FOLDER = join(ROOT, 'dist/web');

/** buildWeb builds the page into `folder` and replaces what is there. Throws when the sources do not build. */
export async function buildWeb(folder: string = WEB_FOLDER): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(`${folder}-`);
  const [plain, packed, old] = [join(work, 'plain'), join(work, 'packed'), join(work, 'old')];
  try {
    await runVite(plain);
    compress(plain, packed);
    renameIfThere(folder, old);
    renameSync(packed, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function runVite(outDir: string): Promise<void> {
  await build({
    configFile: false,
    root: join(ROOT, 'src/web'),
    logLevel: 'warn',
    base: './',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir,
      emptyOutDir: true,
      assetsInlineLimit: 0, // the policy of the page allows nothing inline
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 1200, // kilobytes: MapLibre, which is loaded when a map is shown
      target: 'es2022',
    },
  });
}

function compress(from: string, to: string): void {
  const entries = readdirSync(from, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = entries.map(({ parentPath, name }) => relative(from, join(parentPath, name))).sort();
  for (const name of names) {
    const target = join(to, `${name}.gz`);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, gzipSync(readFileSync(join(from, name)), { level: 9 }));
  }
  writeFileSync(join(to, PAGE_INDEX), JSON.stringify(names));
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // what renameSync throws
  }
}

if (import.meta.main) await buildWeb(process.argv[2] === undefined ? WEB_FOLDER : resolve(process.argv[2]));
