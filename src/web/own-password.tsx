// The form by which somebody changes their own password.

import { useState } from 'preact/hooks';
import { api, ask } from './api/client.ts';
import { Button } from './components/button.tsx';
import { Dialog } from './components/dialog.tsx';
import { Trouble } from './components/faces.tsx';
import { Field, fieldError } from './components/field.tsx';
import { toast } from './components/toast.tsx';
import { t } from './i18n.ts';
import { begin, type Session } from './visit.ts';

/** The box wants at least so many: OWN_PASSWORD in src/api/sign-in.ts. */
const SHORTEST = 8;

/** OwnPassword is a dialog. The session goes on with the new password; the other ones of the account end. */
export function OwnPassword({ session, close }: { readonly session: Session; readonly close: () => void }) {
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      begin(await ask(api.PUT('/api/v1/session/password', { body: { current, password } })));
      toast(t('account.passwordChanged'));
      close();
    } catch (error) {
      setProblem(error as Error); // ask throws nothing else
      setBusy(false);
    }
  };
  const isWrong = fieldError(problem, 'current') !== null;
  return (
    <Dialog title={t('account.changePassword')} close={close}>
      <form class="form" onSubmit={(event) => void send(event)}>
        <input class="unseen" name="username" autocomplete="username" value={session.username} readOnly tabIndex={-1} aria-hidden="true" />
        <Field
          label={t('account.current')}
          name="current"
          type="password"
          value={current}
          change={setCurrent}
          autocomplete="current-password"
          required
          isFirst
        />
        <Field
          label={t('account.newPassword')}
          name="password"
          type="password"
          value={password}
          change={setPassword}
          problem={problem}
          autocomplete="new-password"
          hint={t('claim.passwordHint', { count: SHORTEST })}
          minLength={SHORTEST}
          required
        />
        <p class="hint">{t('account.passwordHint')}</p>
        {problem !== null && <Trouble problem={isWrong ? new Error(t('account.wrongCurrent')) : problem} beside={['password']} />}
        <div class="actions">
          <Button type="submit" look="primary" isBusy={isBusy}>
            {t('account.changePassword')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
