// The form by which somebody changes their own password.

import { useState } from 'preact/hooks';
import { api, ask } from './api/client.ts';
import { Button } from './components/button.tsx';
import { Dialog } from './components/dialog.tsx';
import { Trouble } from './components/faces.tsx';
import { Field, fieldError } from './components/field.tsx';
import { NewPasswordField } from './components/new-password-field.tsx';
import { toast } from './components/toast.tsx';
import { t } from './i18n.ts';
import { useSending } from './sending.ts';
import { begin, type Session } from './visit.ts';

/** OwnPassword is a dialog. The session goes on with the new password; the other ones of the account end. */
export function OwnPassword({ session, close }: { readonly session: Session; readonly close: () => void }) {
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const { isBusy, problem, send } = useSending();
  const change = (event: Event) => {
    event.preventDefault();
    void send(async () => {
      begin(await ask(api.PUT('/api/v1/session/password', { body: { current, password } })));
      toast(t('account.passwordChanged'));
      close();
    });
  };
  const isWrong = fieldError(problem, 'current') !== null;
  return (
    <Dialog title={t('account.changePassword')} close={close}>
      <form class="form" onSubmit={change}>
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
        <NewPasswordField label={t('account.newPassword')} value={password} change={setPassword} problem={problem} />
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
