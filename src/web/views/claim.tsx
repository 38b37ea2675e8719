// The first visit to a new box: whoever can read its set-up code makes the first account.

import { useState } from 'preact/hooks';
import { api, ask, Refusal } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Trouble } from '../components/faces.tsx';
import { Field } from '../components/field.tsx';
import { NewPasswordField } from '../components/new-password-field.tsx';
import { t } from '../i18n.ts';
import { useSending } from '../sending.ts';
import { beganHere } from '../visit.ts';
import { Gate } from './gate.tsx';

/** Claim asks for the code, a name and a password. */
export function Claim() {
  const [code, setCode] = useState('');
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const { isBusy, problem, send } = useSending();
  const claim = (event: Event) => {
    event.preventDefault();
    void send(async () => beganHere(await ask(api.POST('/api/v1/claim', { body: { code, username, password } }))));
  };
  return (
    <Gate title={t('claim.title')} lead={t('claim.lead')}>
      <form onSubmit={claim}>
        <Field
          label={t('claim.code')}
          name="code"
          value={code}
          change={setCode}
          problem={problem}
          hint={t('claim.codeHint')}
          required
          isFirst
        />
        <details class="where">
          <summary>{t('claim.where')}</summary>
          <ul>
            <li>{t('claim.whereStatus')}</li>
            <li>{t('claim.whereCard')}</li>
            <li>{t('claim.whereLog')}</li>
          </ul>
          <p class="hint">{t('claim.whereNew')}</p>
        </details>
        <Field
          label={t('claim.username')}
          name="username"
          value={username}
          change={setUsername}
          problem={problem}
          autocomplete="username"
          hint={t('claim.usernameHint')}
          required
        />
        <NewPasswordField label={t('claim.password')} value={password} change={setPassword} problem={problem} />
        {problem !== null && <Trouble problem={inOurWords(problem)} beside={['code', 'username', 'password']} />}
        <Button type="submit" look="primary" isBusy={isBusy}>
          {t('claim.send')}
        </Button>
      </form>
    </Gate>
  );
}

function inOurWords(problem: Error): Error {
  if (!(problem instanceof Refusal)) return problem;
  if (problem.status === 403) return new Error(t('claim.wrongCode'));
  if (problem.status === 401) return new Error(t('claim.wrongPassword'));
  if (problem.status === 429) return new Error(t('signIn.tooMany'));
  return problem;
}
