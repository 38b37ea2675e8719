// The form by which somebody changes their own password.

import { useState } from 'preact/hooks';
import { api, ask, Refusal } from './api/client.ts';
import { Dialog } from './components/dialog.tsx';
import { Field } from './components/field.tsx';
import { Form } from './components/form.tsx';
import { NewPasswordField } from './components/new-password-field.tsx';
import { toast } from './components/toast.tsx';
import { t } from './i18n.ts';
import { begin, type Session } from './visit.ts';

/** OwnPassword is a dialog. The session goes on with the new password; the other ones of the account end. */
export function OwnPassword({ session, close }: { readonly session: Session; readonly close: () => void }) {
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const change = async () => {
    begin(await ask(api.PUT('/api/v1/session/password', { body: { current, password } })));
    toast(t('account.passwordChanged'));
    close();
  };
  return (
    <Dialog title={t('account.changePassword')} close={close}>
      <Form action={t('account.changePassword')} send={change} explain={inOurWords}>
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
        <NewPasswordField label={t('account.newPassword')} value={password} change={setPassword} />
        <p class="hint">{t('account.passwordHint')}</p>
      </Form>
    </Dialog>
  );
}

function inOurWords(problem: Error): Error {
  const isWrong = problem instanceof Refusal && problem.fields.some(({ field }) => field === 'current');
  return isWrong ? new Error(t('account.wrongCurrent')) : problem;
}
