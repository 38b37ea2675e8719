// The words about updates -> options: what goes together is there, and nothing is said in vain.

import type { UpdateOptions } from '../updates/options.ts';
import type { Report } from './diagnostic.ts';
import type { GlobalDraft } from './draft.ts';

/** The hours in which houses sleep. */
const DEFAULT_WINDOW = { from: 3 * 60, to: 5 * 60 };

/** resolveUpdates gives the options; mistakes go to the report. */
export function resolveUpdates({ updates, homeAssistant, places }: GlobalDraft, report: Report): UpdateOptions {
  const { mode = 'off', url = null, window = DEFAULT_WINDOW, account = null } = updates;
  const place = (word: string) => places.get(word) ?? null;
  if (mode !== 'off' && url === null)
    report.error(place('automatic_updates'), `Cannot use automatic_updates ${mode} without an address`, 'write updates_url');
  if (mode === 'off' && places.has('update_window'))
    report.warning(place('update_window'), 'update_window has no effect', 'write automatic_updates check or install');
  if (account !== null && homeAssistant !== true)
    report.warning(place('update_account'), 'update_account has no effect', 'write homeassistant_discovery true');
  return { mode, url, window, account };
}
