// A new account from a template, with the rules that it needs, and a password that is shown once.

import { useState } from 'preact/hooks';
import { api, ask, Refusal } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Check } from '../components/check.tsx';
import { Dialog } from '../components/dialog.tsx';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { Icon } from '../components/icon.tsx';
import { t } from '../i18n.ts';
import { go, linkTo } from '../router.ts';
import { type Made, MadeAccount, makeWith } from './made-account.tsx';
import { OwnPasswordField } from './own-password-field.tsx';
import { type Rule, TEMPLATES, type TemplateName } from './person-templates.ts';
import { PhoneNameAdvice } from './phone-name-advice.tsx';
import { RuleWords } from './rule-words.tsx';

export interface AddPersonProps {
  /** What the dialog begins with; '' = nothing. */
  readonly name: string;
  /** What it is about: somebody, or a device that shall not get what a person gets. */
  readonly who: 'somebody' | 'device';
  /** Names that there are. */
  readonly taken: readonly string[];
  /** False = there is no ACL file: everybody may do everything. */
  readonly hasRules: boolean;
  /** The box can begin with rules. */
  readonly mayBegin: boolean;
  readonly close: () => void;
}

/** Kind is what somebody adds: an account from a template, or a phone. */
type Kind = TemplateName | 'phone';

const PHONE = { icon: 'phone', name: 'template.phone', words: 'template.phoneWords' } as const;

/** AddPerson is a dialog of two steps: what to make, and what was made. */
export function AddPerson({ close, ...wanted }: AddPersonProps) {
  const [made, setMade] = useState<Made | null>(null);
  if (made !== null) return <MadeAccount made={made} close={close} />;
  return (
    <Dialog title={t(wanted.who === 'device' ? 'steps.people' : 'people.add')} close={close}>
      <PersonForm {...wanted} done={setMade} />
    </Dialog>
  );
}

type PersonFormProps = Omit<AddPersonProps, 'close'> & { readonly done: (made: Made) => void };

function PersonForm({ name, who, taken, hasRules, mayBegin, done }: PersonFormProps) {
  const [template, setTemplate] = useState<Kind>(who === 'device' ? 'sensor' : 'person');
  const [username, setUsername] = useState(name);
  const [typedArea, setArea] = useState<string | null>(null);
  const [isLimited, setLimited] = useState(hasRules || mayBegin);
  const [isSending, setSending] = useState(false);
  const [typedPassword, setPassword] = useState('');
  const shownName = username.trim() || t('people.nameHere');
  const { area: areaOf, areaHint, rules: rulesOf } = TEMPLATES[template === 'phone' ? 'person' : template];
  const area = typedArea ?? areaOf(shownName);
  const wanted = area.trim() === '' ? [] : rulesOf(area.trim().replace(/\/?#?$/, '') || '#', shownName);
  const rules = template === 'sensor' && isSending ? wanted.map((rule) => ({ ...rule, access: 'write' as const })) : wanted;
  const choose = (next: Kind) => {
    setTemplate(next);
    setArea(null);
  };
  const make = async () => {
    if (isLimited && !hasRules) await ask(api.POST('/api/v1/rules/beginning', { body: {} }));
    const name = username.trim();
    const made = await makeWith(name, typedPassword, (password) => makePerson({ username: name, password }, isLimited ? rules : []));
    done({ ...made, topics: isLimited ? rules.map(({ filter }) => filter) : null });
  };
  if (template === 'phone') return <ToPhones person={username.trim()} choose={choose} />;
  return (
    <Form action={t('people.make')} send={make} explain={(problem) => inOurWords(problem, username.trim(), taken)}>
      {isLimited ? (
        <KindChoice value={template} choose={choose} />
      ) : (
        <p class="hint">
          <a href={linkTo('phones', [], { add: username.trim() })}>{t('people.phoneByCode')}</a>
        </p>
      )}
      <Field label={t('people.name')} name="username" value={username} change={setUsername} hint={t('people.nameHint')} required isFirst />
      {template === 'person' && <PhoneNameAdvice name={username.trim()} take={setUsername} />}
      {!hasRules && mayBegin && <Check label={t('people.limited')} hint={t('people.limitedHint')} isOn={isLimited} turn={setLimited} />}
      {isLimited ? (
        <>
          <Field label={t('people.area')} name="area" value={area} change={setArea} hint={t(areaHint)} required />
          {template === 'sensor' && (
            <Check label={t('people.onlySends')} hint={t('people.onlySendsHint')} isOn={isSending} turn={setSending} />
          )}
          {rules.length > 0 && (
            <div>
              <h3>{t('people.willDo')}</h3>
              <ul class="plain-list">
                {rules.map((rule) => (
                  <li key={`${rule.access} ${rule.filter}`}>
                    <RuleWords rule={rule} />
                  </li>
                ))}
              </ul>
            </div>
          )}
        </>
      ) : (
        <p class="hint">{t('people.noRulesWords')}</p>
      )}
      <OwnPasswordField value={typedPassword} change={setPassword} />
    </Form>
  );
}

interface KindChoiceProps {
  readonly value: Kind;
  readonly choose: (kind: Kind) => void;
}

/** A phone is set up in one way only: by its link. */
function ToPhones({ person, choose }: Pick<KindChoiceProps, 'choose'> & { readonly person: string }) {
  return (
    <div class="form">
      <KindChoice value="phone" choose={choose} />
      <p>{t('people.phoneWords')}</p>
      <div class="actions">
        <Button look="primary" icon="phone" onClick={() => go('phones', [], { add: person })}>
          {t('people.toPhones')}
        </Button>
      </div>
    </div>
  );
}

function KindChoice({ value, choose }: KindChoiceProps) {
  const names = Object.keys(TEMPLATES) as TemplateName[]; // its keys
  return (
    <fieldset class="templates">
      <legend>{t('people.template')}</legend>
      {[...names, 'phone' as const].map((each) => {
        const { icon, name, words } = each === 'phone' ? PHONE : TEMPLATES[each];
        return (
          <label key={each}>
            <input type="radio" name="template" checked={each === value} onChange={() => choose(each)} />
            <span class="template">
              <Icon name={icon} />
              <span>
                <strong>{t(name)}</strong>
                <span class="hint">{t(words)}</span>
              </span>
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}

interface Account {
  readonly username: string;
  readonly password: string;
}

/** makePerson makes the account and its rules, or neither. */
async function makePerson({ username, password }: Account, rules: readonly Rule[]): Promise<void> {
  await ask(api.POST('/api/v1/users', { body: { username, password } }));
  if (rules.length === 0) return;
  try {
    await ask(api.PATCH('/api/v1/rules', { body: { username, add: [...rules] } }));
  } catch (error) {
    await ask(api.DELETE('/api/v1/users/{username}', { params: { path: { username } } }));
    throw error;
  }
}

function inOurWords(problem: Error, username: string, taken: readonly string[]): Error {
  const isTaken = problem instanceof Refusal && problem.status === 409 && taken.includes(username);
  return isTaken ? new Error(t('people.taken', { name: username })) : problem;
}
