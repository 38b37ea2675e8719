// How the authority is installed on a computer or a phone. The pages of a phone's link lead through it step by step; here are the ways of all systems.

import { type Key, t } from '../../i18n.ts';
import { type System, systemOf } from './system-of.ts';

/** Names of systems are the same in every language. */
const SYSTEMS: readonly (readonly [System, title: string, words: Key])[] = [
  ['windows', 'Windows', 'certificates.install.windows'],
  ['macos', 'macOS', 'certificates.install.macos'],
  ['linux', 'Linux', 'certificates.install.linux'],
  ['android', 'Android', 'certificates.install.android'],
  ['ios', 'iPhone, iPad', 'certificates.install.ios'],
];

/** InstallSteps shows them with the one of this device opened. */
export function InstallSteps() {
  const here = systemOf(navigator.userAgent);
  return (
    <section aria-label={t('certificates.install')}>
      <h3>{t('certificates.install')}</h3>
      {SYSTEMS.map(([system, title, words]) => (
        <details key={system} class="install-steps" open={system === here}>
          <summary>{title}</summary>
          <p>{t(words)}</p>
        </details>
      ))}
    </section>
  );
}
