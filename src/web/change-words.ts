// Who changed what, in the language of the reader. The box tells it by the names of its operations.

import type { Answer } from './api/answer.ts';
import { CHANGES } from './change-keys.ts';
import { type Key, t } from './i18n.ts';
import { ROLE_NAMES } from './views/role-names.ts';

export type Change = Answer<'/api/v1/changes'>[number];

/** By operations that the box may not have told this page of. */
const KEYS: Readonly<Record<string, Key>> = CHANGES;

/** Some fields are left out where they are nothing. */
const NOTHING = { username: '–', name: '–', id: '–', person: '–', device: '–', address: '–', filter: '–', role: '–', certificate: '–' };

/** whatWords says what was changed; null = this page has no words for it. */
export function whatWords({ operation, about }: Change): string | null {
  const key = KEYS[variantOf(operation, about)];
  if (key === undefined) return null;
  const told = Object.fromEntries(Object.entries(about).map(([field, value]) => [field, String(value)]));
  const role = ROLE_NAMES[about['role'] as keyof typeof ROLE_NAMES]; // another one is shown as it is
  return t(key, { ...NOTHING, ...told, ...(role === undefined ? {} : { role: t(role) }) });
}

/** The same operation gives and takes. */
function variantOf(operation: string, about: Change['about']): string {
  if (operation === 'lock user' && about['locked'] === false) return 'lock user: unlocked';
  return operation === 'set role' && about['role'] === undefined ? 'set role: none' : operation;
}

/** whoWords says who has changed it, and where. */
export function whoWords({ door, username, address, who }: Change): string {
  if (door === 'machine') return t('change.byMachine');
  const from = address === '' ? t('refusals.thisMachine') : address;
  if (door === 'page' && username !== null && from !== null) return t('change.onPage', { username, from });
  return t('change.byProgram', { who });
}
