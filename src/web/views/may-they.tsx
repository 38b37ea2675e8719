// "May tom publish to home/door?", answered by the broker itself with the rule that decides.

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import { Badge, Card } from '../components/card.tsx';
import { Choice, Field, Select } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { type Key, t } from '../i18n.ts';
import { useSending } from '../sending.ts';
import type { Rule } from './person-templates.ts';
import { RuleWords } from './rule-words.tsx';

type Verdict = Answer<'/api/v1/rules/simulation'>;
type Action = 'publish' | 'receive';

const WHY: Readonly<Record<Verdict['reason'], Key>> = {
  rule: 'may.rule',
  'no rule': 'may.noRule',
  'special name': 'may.specialName',
  role: 'may.role',
  'no wildcards': 'may.noWildcards',
  default: 'may.default',
  'no default': 'may.noDefault',
  'unknown user': 'may.unknownUser',
  'reserved topic': 'may.reserved',
  'always accepted': 'may.always',
  'no rules at all': 'may.noRules',
  'listener gone': 'may.listenerGone',
};

/** No account has an empty name. */
const NOBODY = '';

export interface MayTheyCardProps {
  readonly users: readonly string[];
  /** Of the rules: an answer is gone when they have changed. */
  readonly revision?: string;
}

/** MayTheyCard asks for one of several users, or for the one that is given alone. */
export function MayTheyCard({ users, revision }: MayTheyCardProps) {
  const [username, setUsername] = useState(users[0] ?? NOBODY);
  const [action, setAction] = useState<Action>('publish');
  const [topic, setTopic] = useState('');
  const sending = useSending();
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const answer = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (verdict !== null) answer.current?.scrollIntoView({ block: 'nearest' });
  }, [verdict]);
  useEffect(() => setVerdict(null), [revision]);
  const changed = <T,>(set: (value: T) => void) => {
    return (value: T) => {
      set(value);
      setVerdict(null);
      sending.clear();
    };
  };
  const judge = async () => {
    const query = { action, topic, ...(username === NOBODY ? {} : { username }) };
    setVerdict(null);
    setVerdict(await ask(api.GET('/api/v1/rules/simulation', { params: { query } })));
  };
  return (
    <Card title={users.length === 1 ? t('may.titleFor', { name: username }) : t('may.title')}>
      <Form class="form narrow" action={t('may.ask')} look="normal" send={judge} sending={sending}>
        {users.length > 1 && (
          <Select
            label={t('may.who')}
            value={username}
            choose={changed(setUsername)}
            options={[...users.map((each) => [each, each] as const), [NOBODY, t('may.nobody')]]}
          />
        )}
        <Choice<Action>
          label={t('may.what')}
          value={action}
          choose={changed(setAction)}
          options={[
            ['publish', t('may.publish')],
            ['receive', t('may.receive')],
          ]}
        />
        <Field label={t('may.topic')} name="topic" value={topic} change={changed(setTopic)} hint={t('may.topicHint')} required />
      </Form>
      <div role="status" ref={answer} class="answer">
        {verdict !== null && <Answered verdict={verdict} />}
      </div>
    </Card>
  );
}

function Answered({ verdict: { allowed, reason, rules } }: { readonly verdict: Verdict }) {
  return (
    <div class="verdict">
      <p>
        <Badge look={allowed ? 'good' : 'bad'}>{t(allowed ? 'may.yes' : 'may.no')}</Badge> {t(WHY[reason])}
      </p>
      <ul class="plain-list">
        {rules.map((rule) => (
          <DecidingRule key={JSON.stringify(rule)} rule={rule} />
        ))}
      </ul>
    </div>
  );
}

function DecidingRule({ rule }: { readonly rule: Verdict['rules'][number] }) {
  if ('role' in rule) {
    const { role, group, acltype, topic, allow } = rule;
    return (
      <li>
        <code>{`${acltype} ${topic} ${allow ? 'allow' : 'deny'}`}</code>
        <br />
        <span class="hint">{group === null ? t('may.byRole', { role }) : t('may.byGroup', { role, group })}</span>
      </li>
    );
  }
  return (
    <li>
      <RuleWords rule={rule as Rule} />
      <br />
      <span class="hint">{t('may.line', { file: rule.file, line: rule.line })}</span>
    </li>
  );
}
