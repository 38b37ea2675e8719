// An account that was made just now, with a password that nobody can see again, or that somebody has typed.

import { useState } from 'preact/hooks';
import { CopyButton } from '../components/copy-button.tsx';
import { Dialog, Done, Once } from '../components/dialog.tsx';
import { t } from '../i18n.ts';
import { Arrival, latestOf } from './arrival.tsx';
import { ConnectFacts } from './connect-facts.tsx';
import { makePassword } from './person-templates.ts';

export interface Made {
  readonly username: string;
  /** Null = whoever made the account has typed it. */
  readonly password: string | null;
  /** The latest try with this account before, by the clock of the box. */
  readonly before: number;
  /** Filters of its rules; null or left out = they are not told. */
  readonly topics?: readonly string[] | null;
}

/** makeWith has `set` put a password in force, the typed one or one that it makes ('' = none was typed), and gives what is to be shown. */
export async function makeWith(username: string, typed: string, set: (password: string) => Promise<unknown>): Promise<Made> {
  const before = await latestOf(username);
  const password = typed || makePassword();
  await set(password);
  if (typed !== '') return { username, password: null, before }; // a device may have come in with it already
  return { username, password, before: await latestOf(username).catch(() => before) }; // it is shown now or never
}

interface MadeAccountProps {
  readonly made: Made;
  readonly close: () => void;
  readonly title?: string;
}

/** MadeAccount is the last step of a dialog that makes one, or a new password of one: it shows the password that was made, and what else a device wants to know. */
export function MadeAccount({ made: { username, password, before, topics = null }, close, title }: MadeAccountProps) {
  const [isKept, setKept] = useState(false);
  const heading = title ?? t('people.madeTitle', { name: username });
  const facts = (
    <>
      <ConnectFacts username={username} topics={topics} />
      <Arrival username={username} after={before} />
      <Done close={close} />
    </>
  );
  if (password === null) {
    return (
      <Dialog title={heading} close={close}>
        <p>{t('people.passwordTyped')}</p>
        {facts}
      </Dialog>
    );
  }
  return (
    <Once title={heading} close={close} isKept={isKept}>
      {() => (
        <>
          <p>{t('people.passwordOnce')}</p>
          <div class="secret">
            <code>{password}</code>
            <CopyButton text={password} copied={() => setKept(true)} />
          </div>
          {facts}
        </>
      )}
    </Once>
  );
}
