// The sign-in, which says why somebody has to do it again.

import { useState } from 'preact/hooks';
import { api, ask, Refusal } from '../api/client.ts';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { type Key, t } from '../i18n.ts';
import { recall, remember } from '../remembered.ts';
import { beganHere, type Ending } from '../visit.ts';
import { Gate } from './gate.tsx';

const WHY_WORDS: Readonly<Record<Ending, Key>> = {
  expired: 'signIn.expired',
  restarted: 'signIn.restarted',
  restored: 'signIn.restored',
  'restored-without-accounts': 'signIn.restoredWithoutAccounts',
  'other-tab': 'signIn.otherTab',
  'by-you': 'signIn.byYou',
  password: 'signIn.passwordChanged',
};

/** SignIn asks for name and password. The name is there from the last time. */
export function SignIn({ why }: { readonly why: Ending | null }) {
  const [username, setUsername] = useState(recall('username') ?? '');
  const [password, setPassword] = useState('');
  const signIn = async () => {
    const session = await ask(api.POST('/api/v1/session', { body: { username, password } })).catch((error: unknown) => {
      setPassword('');
      throw error;
    });
    remember('username', username);
    beganHere(session);
  };
  return (
    <Gate title={t('signIn.title')} lead={t(why === null ? 'signIn.lead' : WHY_WORDS[why])}>
      <Form action={t('signIn.send')} send={signIn} explain={inOurWords}>
        <Field
          label={t('signIn.username')}
          name="username"
          value={username}
          change={setUsername}
          autocomplete="username"
          required
          isFirst={username === ''}
        />
        <Field
          label={t('signIn.password')}
          name="password"
          type="password"
          value={password}
          change={setPassword}
          autocomplete="current-password"
          required
          isFirst={username !== ''}
        />
      </Form>
    </Gate>
  );
}

function inOurWords(problem: Error): Error {
  if (!(problem instanceof Refusal)) return problem;
  if (problem.status === 401) return new Error(t('signIn.wrong'));
  if (problem.status === 429) return new Error(t('signIn.tooMany'));
  if (problem.status === 503) return new Error(t('signIn.busy'));
  return problem;
}
