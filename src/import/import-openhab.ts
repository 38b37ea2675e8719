// Takes over the settings of the broker inside openHAB.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import { readSource, writeTarget } from './files.ts';
import type { ImportNeeds } from './needs.ts';
import { parseOpenhabSettings } from './openhab-settings.ts';
import type { ImportReport } from './report.ts';

/** OpenhabRequest: `out` is the folder for our configuration. */
export interface OpenhabRequest {
  readonly source: string;
  readonly out: string;
  readonly dryRun: boolean;
}

/** importOpenhab writes midge.conf; throws OperatorError, with nothing written, when the file can't be read, has a mistake, or a configuration is there already. */
export function importOpenhab({ source, out, dryRun }: OpenhabRequest, needs: ImportNeeds): ImportReport {
  const { lines, text } = parseOpenhabSettings(readSource(source).toString());
  const path = join(out, 'midge.conf');
  const isRefused = lines.some(({ outcome }) => outcome === 'refused');
  const report = lines.map(({ line, what, outcome, reason }) => ({ what: `${source}:${line}: ${what}`, outcome, reason }));
  if (isRefused) return { lines: report, written: [] };
  if (existsSync(path)) throw new OperatorError(`Cannot write "${path}": it exists already - name another folder with --out`);
  if (!dryRun) writeTarget({ path, text: `# Taken over from ${source} of openHAB.\n${text}`, isSecret: false }, needs);
  return { lines: report, written: [path] };
}
