// An account that was made just now, with a password that nobody can see again.

import { CopyButton } from '../components/copy-button.tsx';
import { Dialog, Done } from '../components/dialog.tsx';
import { t } from '../i18n.ts';
import { ConnectFacts } from './connect-facts.tsx';

export interface Made {
  readonly username: string;
  readonly password: string;
  /** Filters of its rules; null or left out = they are not told. */
  readonly topics?: readonly string[] | null;
}

interface MadeAccountProps {
  readonly made: Made;
  readonly close: () => void;
}

/** MadeAccount is the last step of a dialog that makes one. */
export function MadeAccount({ made, close }: MadeAccountProps) {
  return (
    <Dialog title={t('people.madeTitle', { name: made.username })} close={close}>
      <NewPassword made={made} />
      <Done close={close} />
    </Dialog>
  );
}

/** NewPassword shows a password that nobody can see again, and what else a device wants to know. */
export function NewPassword({ made: { username, password, topics = null } }: { readonly made: Made }) {
  return (
    <>
      <p>{t('people.passwordOnce')}</p>
      <div class="secret">
        <code>{password}</code>
        <CopyButton text={password} />
      </div>
      <ConnectFacts username={username} topics={topics} />
    </>
  );
}
