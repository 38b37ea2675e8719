// The first visit to a new box: whoever can read its set-up code makes the first account.

import { useState } from 'preact/hooks';
import { api, ask, Refusal } from '../api/client.ts';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { NewPasswordField } from '../components/new-password-field.tsx';
import { t } from '../i18n.ts';
import { remember } from '../remembered.ts';
import { beganHere, type Missing } from '../visit.ts';
import { beginFirstSteps } from './first-steps.tsx';
import { Gate } from './gate.tsx';
import { MissingPasswordFile } from './missing-password-file.tsx';
import { PhoneNameAdvice } from './phone-name-advice.tsx';

/** Claim asks for the code, a name and a password, or says what must be done before. */
export function Claim({ missing }: { readonly missing: Missing | null }) {
  if (missing !== null && !missing.hasAccounts) {
    return (
      <Gate title={t('claim.title')} lead={t('claim.leadMissing')}>
        <MissingPasswordFile missing={missing} />
      </Gate>
    );
  }
  return (
    <Gate title={t('claim.title')} lead={t('claim.lead')}>
      <ClaimForm missing={missing} />
    </Gate>
  );
}

function ClaimForm({ missing }: { readonly missing: Missing | null }) {
  const [code, setCode] = useState('');
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const claim = async () => {
    const session = await ask(api.POST('/api/v1/claim', { body: { code, username, password } }));
    beginFirstSteps();
    remember('username', username);
    beganHere(session);
  };
  return (
    <Form action={t('claim.send')} send={claim} explain={inOurWords}>
      <Field label={t('claim.code')} name="code" value={code} change={setCode} hint={t('claim.codeHint')} required isFirst />
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
        autocomplete="username"
        hint={t(missing === null ? 'claim.usernameHint' : 'claim.usernameHintOld')}
        required
      />
      {missing === null && <PhoneNameAdvice name={username.trim()} take={setUsername} />}
      {missing !== null && (
        <details class="where">
          <summary>{t('claim.missing.how')}</summary>
          <MissingPasswordFile missing={missing} />
        </details>
      )}
      <NewPasswordField label={t('claim.password')} value={password} change={setPassword} />
    </Form>
  );
}

function inOurWords(problem: Error): Error {
  if (!(problem instanceof Refusal)) return problem;
  if (problem.status === 403) return new Error(t('claim.wrongCode'));
  if (problem.status === 401) return new Error(t('claim.wrongPassword'));
  if (problem.status === 429) return new Error(t('signIn.tooMany'));
  return problem;
}
