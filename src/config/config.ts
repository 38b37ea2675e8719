// The room's door: mosquitto.conf's language -> Configuration, or all mistakes at once.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsOptions } from '../listeners/options.ts';
import { checkBridgeFiles } from './check-bridge-files.ts';
import { checkFiles } from './check-files.ts';
import type { Configuration } from './configuration.ts';
import { type Diagnostic, Report } from './diagnostic.ts';
import { interpret } from './interpreter.ts';
import { readStatements, type Texts } from './reader.ts';
import { type CommandLine, resolveConfiguration } from './resolve.ts';
import { checkClusterFiles } from './resolve-cluster.ts';
import { checkInternetFiles } from './resolve-internet.ts';

export { describeAccess, describeListeners, isLockedOut } from './describe-access.ts';
export { describeOpenings } from './describe-openings.ts';
export { describeSettings } from './describe-settings.ts';
export { type Diagnostic, EXIT, formatDiagnostic } from './diagnostic.ts';
export { type KnownSetting, knownSettings } from './known-settings.ts';
export type { CommandLine } from './resolve.ts';
export { isSecret, type TreatedLine, treatLines } from './treatments.ts';

/** LoadedConfiguration is the configuration, or null when a diagnostic is an error; warnings may come with either. */
export interface LoadedConfiguration {
  readonly configuration: Configuration | null;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * loadConfiguration reads the file and what it includes, and looks at the certificates, password and ACL files they name.
 * It changes nothing and never throws for what stands in a file. Relative paths in settings start at the working folder,
 * those of `include` at the file they stand in. mosquitto.conf(5)
 */
export function loadConfiguration(commandLine: CommandLine, texts?: Texts): LoadedConfiguration {
  const report = new Report();
  const sources = new Set<string>();
  const statements = commandLine.file === null ? [] : readStatements(commandLine.file, report, sources, texts);
  const said = interpret(statements, report);
  const resolved = resolveConfiguration(said, commandLine, report);
  const filesRead = filesReadBy(resolved, sources);
  const configuration = { ...resolved, filesRead, watched: said.global.reloadOnChange ? filesRead : [] };
  checkFiles(said, configuration, report);
  checkBridgeFiles(said.bridges, report);
  checkInternetFiles(said.global, report);
  checkClusterFiles(said.global, report);
  return { configuration: report.hasErrors ? null : configuration, diagnostics: report.sorted() };
}

/** All that a reload would read again, as far as it is there. */
function filesReadBy({ access, listeners, bridges }: Configuration, sources: ReadonlySet<string>): readonly string[] {
  const ofListeners = listeners.flatMap(({ tls }) => [...tlsFiles(tls), tls?.crlfile ?? null, tls?.psk?.file ?? null]);
  const ofBridges = bridges.flatMap(({ tls }) => tlsFiles(tls));
  const ofAccess = [access, ...(access.listeners?.values() ?? [])].flatMap(({ passwordFile, aclFile }) => [passwordFile, aclFile]);
  return [...new Set([...sources, ...ofAccess, ...ofListeners, ...ofBridges])].filter((file) => file !== null);
}

function tlsFiles(tls: Pick<TlsOptions, 'certificate' | 'cafile' | 'capath'> | null): readonly (string | null)[] {
  if (tls === null) return [];
  const { certificate, cafile, capath } = tls;
  const pair = certificate === 'appliance' || certificate === null ? [] : [certificate.certfile, certificate.keyfile];
  return [...pair, cafile, capath, ...(capath === null ? [] : filesIn(capath))];
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return []; // checkFiles says it
  }
}
