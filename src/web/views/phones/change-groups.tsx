// A dialog that changes the groups of a person whose phones are there already.

import { useState } from 'preact/hooks';
import type { Answer } from '../../api/answer.ts';
import { api, ask } from '../../api/client.ts';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { toast } from '../../components/toast.tsx';
import { t } from '../../i18n.ts';
import { groupsIn, groupsOfOthers } from './groups.ts';

type Phone = Answer<'/api/v1/phones'>[number];

export interface ChangeGroupsProps {
  readonly person: string;
  readonly phones: readonly Phone[];
  /** Is told when they are changed. */
  readonly done: () => Promise<void>;
  readonly close: () => void;
}

/** ChangeGroups changes them on all phones of the person. */
export function ChangeGroups({ person, phones, done, close }: ChangeGroupsProps) {
  const [groups, setGroups] = useState(phones.find((each) => each.person === person)?.groups.join(', ') ?? '');
  const there = groupsOfOthers(phones, person);
  const save = async () => {
    const path = { person };
    await ask(api.PUT('/api/v1/phones/{person}/groups', { params: { path }, body: { groups: groupsIn(groups) } }));
    toast(t('phones.groupsChanged', { name: person }));
    await done();
    close();
  };
  return (
    <Dialog title={t('phones.groupsOf', { name: person })} close={close}>
      <Form action={t('phones.groupsSave')} send={save} cancel={close}>
        <Field
          label={t('phones.groups')}
          name="groups"
          value={groups}
          change={setGroups}
          hint={t('phones.groupsOfHint', { name: person })}
          isFirst
        />
        {there !== '' && <p class="hint">{t('phones.groupsThere', { groups: there })}</p>}
      </Form>
    </Dialog>
  );
}
