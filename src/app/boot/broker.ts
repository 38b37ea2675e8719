// How the broker fares, for the report: what systemd says of it, and why it does not run.

import { formatDiagnostic, type LoadedConfiguration } from '../../config/config.ts';
import type { BootWorld } from './world.ts';

/** Health of the broker's unit. */
export type Health = 'running' | 'starting' | 'stopped';

/** Lines of the broker that are shown. */
const WORDS = 8;

/** healthOfBroker asks systemd. org.freedesktop.systemd1(5): `activating (auto-restart)` is a broker that has fallen. */
export async function healthOfBroker({ run }: BootWorld): Promise<Health> {
  const text = (await run('systemctl', 'show', '-p', 'ActiveState,SubState', 'midge.service')) ?? '';
  const [, active] = /^ActiveState=(.*)$/m.exec(text) ?? [];
  const [, sub] = /^SubState=(.*)$/m.exec(text) ?? [];
  if (active === 'active' || active === 'reloading') return 'running';
  return active === 'activating' && sub !== 'auto-restart' ? 'starting' : 'stopped';
}

/** lastWords gives what the broker wrote last, without the lines of systemd. */
export async function lastWords({ run }: BootWorld): Promise<string[]> {
  const text = await run('journalctl', '-b', '_SYSTEMD_UNIT=midge.service', '-n', String(WORDS), '-o', 'cat', '--no-pager');
  return (text ?? '').split('\n').filter((line) => line.trim() !== '');
}

/** configurationMistakes gives those for which the broker can't start, with file and line. */
export function configurationMistakes({ configuration, diagnostics }: LoadedConfiguration): string[] {
  if (configuration !== null) return [];
  return diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic);
}
