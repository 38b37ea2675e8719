// What clients may do where no ACL of their roles matches, and the group of clients without a user name.

import { useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { Card } from '../../components/card.tsx';
import { Check } from '../../components/check.tsx';
import { Select } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { toast } from '../../components/toast.tsx';
import { t } from '../../i18n.ts';
import { useSending } from '../../sending.ts';
import { DEFAULT_WORDS, type DefaultType, type Model, namesOf } from './model.ts';

/** '' stands for none. */
const NO_GROUP = '';

/** Defaults shows them with what somebody has changed and not saved yet. */
export function Defaults({ model, refresh }: { readonly model: Model; readonly refresh: () => void }) {
  const [changed, setChanged] = useState<Partial<Model['defaults']>>({});
  const [group, setGroup] = useState<string | null>(null);
  const sending = useSending();
  const types = Object.keys(DEFAULT_WORDS) as DefaultType[]; // its keys
  const isChanged = group !== null || types.some((type) => changed[type] !== undefined && changed[type] !== model.defaults[type]);
  const discard = () => {
    setChanged({});
    setGroup(null);
    sending.clear();
  };
  const save = async () => {
    await ask(api.PATCH('/api/v1/dynamic-security/defaults', { body: { defaults: changed, anonymousGroup: group } }));
    toast(t('dynamic.defaultsChanged'));
    discard();
    refresh();
  };
  return (
    <Card title={t('dynamic.defaults')}>
      <Form action={isChanged ? t('dynamic.save') : null} send={save} sending={sending} cancel={isChanged ? discard : undefined}>
        <p class="hint">{t('dynamic.defaultsHint')}</p>
        {types.map((type) => (
          <Check
            key={type}
            label={t(DEFAULT_WORDS[type])}
            isOn={changed[type] ?? model.defaults[type]}
            turn={(isOn) => setChanged({ ...changed, [type]: isOn })}
          />
        ))}
        <Select
          label={t('dynamic.anonymous')}
          value={group ?? model.anonymousGroup ?? NO_GROUP}
          choose={setGroup}
          options={[
            ...(model.anonymousGroup === null ? [[NO_GROUP, t('dynamic.noAnonymous')] as const] : []),
            ...namesOf(model.groups).map((each) => [each, each] as const),
          ]}
        />
      </Form>
    </Card>
  );
}
