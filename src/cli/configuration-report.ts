// What is said about a configuration that was read: for people on stderr, for machines as JSON on stdout.

import { describeAccess, describeSettings, formatDiagnostic, type LoadedConfiguration } from '../config/config.ts';
import type { PreflightRequest } from '../config/preflight.ts';
import type { Terminal } from '../terminal/command.ts';
import { writeTable } from '../terminal/table.ts';

/** mosquitto's exit status for a configuration that can't be used. */
const BAD_CONFIGURATION = 3;

/** withPreflight adds what this machine lacks for a configuration; `exitCode` is that of a start with the mistakes. */
export async function withPreflight(
  loaded: LoadedConfiguration,
  request: Omit<PreflightRequest, 'configuration'>,
): Promise<LoadedConfiguration & { readonly exitCode: number }> {
  const { configuration, diagnostics } = loaded;
  if (configuration === null) return { ...loaded, exitCode: BAD_CONFIGURATION };
  const { preflight } = await import('../config/preflight.ts');
  const { diagnostics: found, exitCode } = await preflight({ ...request, configuration });
  const isBad = found.some(({ severity }) => severity === 'error');
  return { configuration: isBad ? null : configuration, diagnostics: [...diagnostics, ...found], exitCode };
}

/** reportConfiguration shows all diagnostics, and for a good configuration who may connect; gives 0, or 1 when it has mistakes. Warnings are none. `database` is where state would be kept, null = nowhere; without it the five settings are not shown. */
export function reportConfiguration(
  loaded: LoadedConfiguration,
  how: { readonly asJson: boolean; readonly terminal: Terminal; readonly database?: string | null },
): number {
  const { configuration, diagnostics } = loaded;
  const { stdout, stderr } = how.terminal;
  const access = configuration === null ? [] : describeAccess(configuration);
  if (how.asJson) {
    const shown = diagnostics.map(({ mosquittoExit: _, ...rest }) => rest);
    stdout.write(`${JSON.stringify({ ok: configuration !== null, diagnostics: shown, access }, null, 2)}\n`);
  } else {
    for (const diagnostic of diagnostics) stderr.write(`${formatDiagnostic(diagnostic)}\n`);
    if (configuration !== null) {
      stdout.write(`Configuration file is OK.\n${access.map((line) => `${line}\n`).join('')}`);
      if (how.database !== undefined) writeSettings(describeSettings(configuration, how.database), how.terminal);
    }
  }
  return configuration === null ? 1 : 0;
}

function writeSettings(rows: readonly (readonly string[])[], terminal: Terminal): void {
  if (rows.length === 0) return;
  terminal.stdout.write('\n');
  writeTable(terminal, rows);
}
