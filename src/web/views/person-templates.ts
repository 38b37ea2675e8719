// What a new account may do, for the kinds of people and devices that most homes have. Phones have a view of their own.

import type { IconName } from '../components/icon.tsx';
import type { Key } from '../i18n.ts';

/** Rule is a line of the ACL file. */
export interface Rule {
  readonly kind: 'topic' | 'pattern';
  readonly access: 'read' | 'write' | 'readwrite' | 'deny';
  readonly filter: string;
}

export interface Template {
  readonly name: Key;
  readonly words: Key;
  readonly icon: IconName;
  /** Where its topics begin, unless somebody says otherwise. */
  readonly area: (username: string) => string;
  readonly areaHint: Key;
  /** rules of an account; `area` has no slash at its end, and # means all topics. */
  readonly rules: (area: string, username: string) => readonly Rule[];
}

const below = (area: string) => (area === '#' || area === '' ? '#' : `${area}/#`);
const own = (area: string, username: string) => (area === '#' || area === '' ? `${username}/#` : `${area}/${username}/#`);
const topic = (access: Rule['access'], filter: string): Rule => ({ kind: 'topic', access, filter });

/** TEMPLATES by their names. */
export const TEMPLATES = {
  person: {
    name: 'template.person',
    words: 'template.personWords',
    icon: 'person',
    area: () => 'home',
    areaHint: 'people.areaHint',
    rules: (area) => [topic('readwrite', below(area))],
  },
  sensor: {
    name: 'template.sensor',
    words: 'template.sensorWords',
    icon: 'gauge',
    area: (username) => `home/${username}`,
    areaHint: 'people.areaHintOwn',
    rules: (area) => [topic('readwrite', below(area))],
  },
  panel: {
    name: 'template.panel',
    words: 'template.panelWords',
    icon: 'tree',
    area: () => 'home',
    areaHint: 'people.areaHint',
    rules: (area) => [topic('read', below(area))],
  },
  friend: {
    name: 'template.friend',
    words: 'template.friendWords',
    icon: 'people',
    area: () => 'shared',
    areaHint: 'people.areaHint',
    rules: (area, username) => [topic('read', below(area)), topic('write', own(area, username))],
  },
} as const satisfies Readonly<Record<string, Template>>;

export type TemplateName = keyof typeof TEMPLATES;

/** Letters and digits that nobody takes for another: 32, so that each is as likely. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const GROUPS = 4;
const GROUP_LENGTH = 5;

/** makePassword gives 100 random bits in groups that people can type. */
export function makePassword(): string {
  const random = crypto.getRandomValues(new Uint8Array(GROUPS * GROUP_LENGTH));
  const letters = Array.from(random, (byte) => LETTERS[byte % LETTERS.length]).join('');
  return letters.match(new RegExp(`.{${GROUP_LENGTH}}`, 'g'))?.join('-') ?? letters;
}
