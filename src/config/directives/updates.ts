// Words about newer versions of midge itself.

import { UPDATE_MODES, type UpdateWindow } from '../../updates/options.ts';
import { type Directive, globalDirective } from '../directive.ts';
import { check, choice, text, type ValueKind } from '../values.ts';

/** releasesUrl is a folder on the web, which ends in `/`; the signature decides, so plain HTTP in one's own network will do. A password in it would be shown where the address is. */
export const releasesUrl: ValueKind<string> = check(text('https://...'), (line) => {
  const url = URL.canParse(line) ? new URL(line) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    return { problem: `Invalid updates_url value (${line})`, hint: 'write https:// and the folder with manifest.json' };
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return { problem: 'Invalid updates_url value', hint: 'write only the folder with manifest.json: no name, password, ? or #' };
  return { value: url.href.endsWith('/') ? url.href : `${url.href}/` };
});

const TIME = /^([01]?\d|2[0-3]):([0-5]\d)$/;

const window: ValueKind<UpdateWindow> = check(text('HH:MM-HH:MM'), (line) => {
  const [from = null, to = null, ...rest] = line.split('-').map((part) => minutesOf(part.trim()));
  if (from === null || to === null || rest.length > 0 || from === to)
    return { problem: `Invalid update_window value (${line})`, hint: 'write two times of the day, such as 03:00-05:00' };
  return { value: { from, to } };
});

function minutesOf(time: string): number | null {
  const found = TIME.exec(time);
  return found === null ? null : Number(found[1]) * 60 + Number(found[2]);
}

/** UPDATE_DIRECTIVES are all of our own. */
export const UPDATE_DIRECTIVES: readonly Directive[] = [
  globalDirective(
    'automatic_updates',
    choice(Object.fromEntries(UPDATE_MODES.map((mode) => [mode, mode])) as { readonly [Mode in (typeof UPDATE_MODES)[number]]: Mode }), // each names itself
    {
      own: true,
      default: 'off',
      reloadable: true,
      doc: 'Whether midge looks for a newer version by itself, once a day: `off` = it asks nobody until you do, `check` = it looks and tells you, `install` = it also installs the newer version. midge installs only what is signed and not older, and goes back to the version before if the new one is not healthy. `install` needs the service of `midge install` or the card image, which restarts to try the new version.',
    },
    (draft, value) => {
      draft.updates.mode = value;
    },
  ),
  globalDirective(
    'updates_url',
    releasesUrl,
    {
      own: true,
      reloadable: true,
      doc: 'Folder on the web with the newest release: `manifest.json`, its signature and the files. The signature decides what is taken, wherever it lies.',
    },
    (draft, value) => {
      draft.updates.url = value;
    },
  ),
  globalDirective(
    'update_window',
    window,
    {
      own: true,
      default: '03:00-05:00',
      reloadable: true,
      doc: 'Part of the day in which `automatic_updates` does its work, by the clock of this machine. midge chooses a moment in it at random. It may go over midnight.',
    },
    (draft, value) => {
      draft.updates.window = value;
    },
  ),
  globalDirective(
    'update_account',
    text('name'),
    {
      own: true,
      reloadable: true,
      doc: 'Account that may have the newest version installed by MQTT: that of Home Assistant, whose device then shows a button (`homeassistant_discovery true`). Without this word nobody may, and messages to that topic are refused to all other accounts whatever their rules say.',
    },
    (draft, value) => {
      draft.updates.account = value;
    },
  ),
];
