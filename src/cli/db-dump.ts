// `midge db-dump`: mosquitto_db_dump(1), what stands in a mosquitto.db.

import { readFileSync } from 'node:fs';
import { OperatorError } from '../base/errors.ts';
import { type DumpForm, dumpDatabase } from '../import/database-dump.ts';
import type { Invocation } from '../terminal/command.ts';

const FORMS: Readonly<Record<string, DumpForm>> = { stats: 'stats', 'client-stats': 'client stats', json: 'json' };

/** run prints the database; 1 when it cannot be read to its end. mosquitto_db_dump ends with 0 where there is no file. */
export async function run({ flags, operands: [file], terminal, program }: Invocation): Promise<number> {
  const asked = Object.keys(FORMS).filter((name) => flags.has(name));
  if (file === undefined || asked.length > 1) {
    throw new OperatorError(`Usage: ${program} [--stats | --client-stats | --json] <mosquitto db filename>`);
  }
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    throw new OperatorError(`Error: Unable to open ${file}`, { exitCode: program.startsWith('mosquitto') ? 0 : 1 });
  }
  const { output, complaints, isWhole } = dumpDatabase(bytes, FORMS[asked[0] ?? ''] ?? 'text');
  terminal.stdout.write(output);
  for (const complaint of complaints) terminal.stderr.write(`${complaint}\n`);
  return isWhole ? 0 : 1;
}
