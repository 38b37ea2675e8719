// The rules of an account, which can be added and taken away one by one.

import { useState } from 'preact/hooks';
import { api, ask } from '../api/client.ts';
import { Button, IconButton } from '../components/button.tsx';
import { Card } from '../components/card.tsx';
import { Confirm, Dialog } from '../components/dialog.tsx';
import { Empty } from '../components/faces.tsx';
import { Field, Select } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { toast } from '../components/toast.tsx';
import { t } from '../i18n.ts';
import { goInstead, place } from '../router.ts';
import { BeginRules } from './begin-rules.tsx';
import type { Rule } from './person-templates.ts';
import { RuleWords } from './rule-words.tsx';

const ACCESSES: readonly Rule['access'][] = ['readwrite', 'read', 'write', 'deny'];

export interface PersonRulesProps {
  readonly username: string;
  /** Null = there is no ACL file. */
  readonly rules: readonly Rule[] | null;
  /** The box can begin with rules. */
  readonly mayBegin: boolean;
  /** Of the file that the rules were read from. */
  readonly revision: string;
  readonly refresh: () => void;
}

/** PersonRules lists them; `?rule=FILTER&access=ACCESS` begins a new one at once. */
export function PersonRules({ username, rules, mayBegin, revision, refresh }: PersonRulesProps) {
  const [isAdding, setAdding] = useState(place.value.query.has('rule'));
  const [removed, setRemoved] = useState<Rule | null>(null);
  if (rules === null) {
    return (
      <Card title={t('people.rules')}>
        <p>{t('people.noRulesWords')}</p>
        {mayBegin ? <BeginRules done={refresh} /> : <p class="hint">{t('people.noRulesAdvice')}</p>}
      </Card>
    );
  }
  const close = () => {
    setAdding(false);
    if (place.value.query.has('rule')) goInstead('people', [username]);
  };
  const remove = async (rule: Rule) => {
    await ask(api.PATCH('/api/v1/rules', { body: { username, remove: [rule], revision } }));
    toast(t('people.ruleRemoved'));
    refresh();
  };
  return (
    <Card
      title={t('people.rules')}
      actions={
        <Button icon="plus" onClick={() => setAdding(true)}>
          {t('people.addRule')}
        </Button>
      }
    >
      {rules.length === 0 ? (
        <Empty icon="shield" words={t('people.rulesEmpty')} />
      ) : (
        <ul class="lines">
          {rules.map((rule) => (
            <li key={`${rule.kind} ${rule.access} ${rule.filter}`}>
              <span>
                <RuleWords rule={rule} />
              </span>
              {rule.kind === 'topic' && (
                <IconButton icon="trash" name={t('people.removeRuleName', { filter: rule.filter })} onClick={() => setRemoved(rule)} />
              )}
            </li>
          ))}
        </ul>
      )}
      {isAdding && <AddRule username={username} revision={revision} close={close} refresh={refresh} />}
      {removed !== null && (
        <Confirm
          title={t('people.removeRuleTitle', { name: username })}
          action={t('people.removeRuleDo')}
          act={() => remove(removed)}
          close={() => setRemoved(null)}
        >
          <p>
            <RuleWords rule={removed} />
          </p>
        </Confirm>
      )}
    </Card>
  );
}

type AddRuleProps = Omit<PersonRulesProps, 'rules' | 'mayBegin'> & { readonly close: () => void };

function AddRule({ username, revision, close, refresh }: AddRuleProps) {
  const { query } = place.value;
  const [access, setAccess] = useState(ACCESSES.find((each) => each === query.get('access')) ?? 'readwrite');
  const [filter, setFilter] = useState(query.get('rule') ?? '');
  const add = async () => {
    await ask(api.PATCH('/api/v1/rules', { body: { username, add: [{ kind: 'topic', access, filter }], revision } }));
    toast(t('people.ruleAdded'));
    refresh();
    close();
  };
  return (
    <Dialog title={t('people.addRuleTitle', { name: username })} close={close}>
      <Form action={t('people.addRule')} send={add}>
        <Select<Rule['access']>
          label={t('people.access')}
          value={access}
          choose={setAccess}
          options={[
            ['readwrite', t('people.accessReadwrite')],
            ['read', t('people.accessRead')],
            ['write', t('people.accessWrite')],
            ['deny', t('people.accessDeny')],
          ]}
        />
        <Field
          label={t('people.filter')}
          name="add.0.filter"
          value={filter}
          change={setFilter}
          hint={t('people.filterHint')}
          required
          isFirst
        />
      </Form>
    </Dialog>
  );
}
