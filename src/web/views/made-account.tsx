// An account that was made just now, with a password that nobody can see again, or that somebody has typed.

import { useState } from 'preact/hooks';
import { CopyButton } from '../components/copy-button.tsx';
import { Dialog, Done, Once } from '../components/dialog.tsx';
import { t } from '../i18n.ts';
import { Arrival } from './arrival.tsx';
import { ConnectFacts } from './connect-facts.tsx';

export interface Made {
  readonly username: string;
  /** Null = whoever made the account has typed it. */
  readonly password: string | null;
  /** The latest try with this account before, by the clock of the box. */
  readonly before: number;
  /** Filters of its rules; null or left out = they are not told. */
  readonly topics?: readonly string[] | null;
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
  if (password === null) {
    return (
      <Dialog title={heading} close={close}>
        <p>{t('people.passwordTyped')}</p>
        <ConnectFacts username={username} topics={topics} />
        <Arrival username={username} after={before} />
        <Done close={close} />
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
          <ConnectFacts username={username} topics={topics} />
          <Arrival username={username} after={before} />
          <Done close={close} />
        </>
      )}
    </Once>
  );
}
