// The sign-in, which says why somebody has to do it again.

import { useState } from 'preact/hooks';
import { api, ask, Refusal } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Trouble } from '../components/faces.tsx';
import { Field } from '../components/field.tsx';
import { type Key, t } from '../i18n.ts';
import { recall, remember } from '../remembered.ts';
import { useSending } from '../sending.ts';
import { beganHere, type Ending } from '../visit.ts';
import { Gate } from './gate.tsx';

const WHY_WORDS: Readonly<Record<Ending, Key>> = {
  expired: 'signIn.expired',
  restarted: 'signIn.restarted',
  restored: 'signIn.restored',
  'other-tab': 'signIn.otherTab',
  'by-you': 'signIn.byYou',
  password: 'signIn.passwordChanged',
};

/** SignIn asks for name and password. The name is there from the last time. */
export function SignIn({ why }: { readonly why: Ending | null }) {
  const [username, setUsername] = useState(recall('username') ?? '');
  const [password, setPassword] = useState('');
  const { isBusy, problem, send } = useSending();
  const signIn = (event: Event) => {
    event.preventDefault();
    void send(async () => {
      const session = await ask(api.POST('/api/v1/session', { body: { username, password } })).catch((error: unknown) => {
        setPassword('');
        throw error;
      });
      remember('username', username);
      beganHere(session);
    });
  };
  return (
    <Gate title={t('signIn.title')} lead={t(why === null ? 'signIn.lead' : WHY_WORDS[why])}>
      <form onSubmit={signIn}>
        <Field
          label={t('signIn.username')}
          name="username"
          value={username}
          change={setUsername}
          problem={problem}
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
          problem={problem}
          autocomplete="current-password"
          required
          isFirst={username !== ''}
        />
        {problem !== null && <Trouble problem={inOurWords(problem)} />}
        <Button type="submit" look="primary" isBusy={isBusy}>
          {t('signIn.send')}
        </Button>
      </form>
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
