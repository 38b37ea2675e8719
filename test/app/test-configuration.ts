// A configuration read from text, for tests of the whole house.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatDiagnostic, loadConfiguration } from '../../src/config/config.ts';
import type { Configuration } from '../../src/config/configuration.ts';

/** configurationOf reads mosquitto.conf text; every TCP port becomes one that the system chooses. */
export function configurationOf(folder: string, text: string, lan = false): Configuration {
  const file = join(folder, 'test.conf');
  writeFileSync(file, text);
  const { configuration, diagnostics } = loadConfiguration({ file, port: null, verbose: false, lan });
  assert(configuration !== null, diagnostics.map(formatDiagnostic).join('\n'));
  return { ...configuration, listeners: configuration.listeners.map((listener) => ({ ...listener, port: 0 })) };
}
