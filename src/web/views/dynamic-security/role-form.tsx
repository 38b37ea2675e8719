// A role of dynamic security, new or changed: what who has it may do, line by line.

import { useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { Check } from '../../components/check.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field, Select } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { toast } from '../../components/toast.tsx';
import { t } from '../../i18n.ts';
import { ACL_WORDS, type Acl, type AclType, aclWords, type Model, type Role } from './model.ts';

export interface RoleFormProps {
  readonly model: Model;
  /** Null = a new one. */
  readonly role: Role | null;
  readonly refresh: () => void;
  readonly close: () => void;
}

/** A line keeps its place while others go. */
type Line = Acl & { readonly id: number };

const NEW_LINE = { type: 'publishClientSend', topic: '', priority: 0, allow: true } as const;

/** RoleForm is a dialog. */
export function RoleForm({ model, role, refresh, close }: RoleFormProps) {
  const [name, setName] = useState(role?.name ?? '');
  const [lines, setLines] = useState<readonly Line[]>((role?.acls ?? [NEW_LINE]).map((acl, id) => ({ ...acl, id })));
  const [wildcards, setWildcards] = useState(role?.allowWildcardSubs ?? true);
  const change = (id: number, changes: Partial<Acl>) => setLines(lines.map((each) => (each.id === id ? { ...each, ...changes } : each)));
  const add = () => setLines([...lines, { ...NEW_LINE, id: 1 + Math.max(-1, ...lines.map(({ id }) => id)) }]);
  const save = async () => {
    const acls = lines.map(({ id: _, ...acl }) => ({ ...acl, topic: acl.topic.trim() }));
    const body = { allowWildcardSubs: wildcards, acls };
    if (role === null) await ask(api.POST('/api/v1/dynamic-security/roles', { body: { ...body, name: name.trim() } }));
    else {
      const revised = { ...body, revision: model.revision };
      await ask(api.PATCH('/api/v1/dynamic-security/roles/{name}', { params: { path: { name } }, body: revised }));
    }
    toast(t('dynamic.changed', { name: name.trim() }));
    refresh();
    close();
  };
  return (
    <Dialog title={role === null ? t('dynamic.addRole') : t('dynamic.changeTitle', { name })} close={close}>
      <Form action={t('dynamic.save')} send={save}>
        {role === null && <Field label={t('people.name')} name="name" value={name} change={setName} required isFirst />}
        <div class="acl-lines">
          <div>
            <h3>{t('dynamic.acls')}</h3>
            <p class="hint">{t('dynamic.topicHint')}</p>
          </div>
          {lines.length === 0 && <p class="hint">{t('dynamic.noAcls')}</p>}
          {lines.map((line, index) => (
            <AclLine
              key={line.id}
              line={line}
              name={`acls.${index}.topic`}
              change={(changes) => change(line.id, changes)}
              remove={() => setLines(lines.filter(({ id }) => id !== line.id))}
            />
          ))}
          <div class="actions">
            <Button icon="plus" onClick={add}>
              {t('dynamic.addAcl')}
            </Button>
          </div>
        </div>
        <Check label={t('dynamic.wildcards')} isOn={wildcards} turn={setWildcards} />
        {role !== null && <p class="hint">{t('dynamic.comesAgain')}</p>}
      </Form>
    </Dialog>
  );
}

interface AclLineProps {
  readonly line: Acl;
  readonly name: string;
  readonly change: (changes: Partial<Acl>) => void;
  readonly remove: () => void;
}

function AclLine({ line: { type, topic, allow, priority }, name, change, remove }: AclLineProps) {
  const types = Object.keys(ACL_WORDS) as AclType[]; // its keys
  const verdicts = [true, false].flatMap((each) =>
    types.map((one) => [`${each ? 'allow' : 'deny'} ${one}` as const, { type: one, allow: each }] as const),
  );
  return (
    <div class="acl-line">
      <Select
        label={t('dynamic.aclType')}
        value={`${allow ? 'allow' : 'deny'} ${type}` as const}
        choose={(next) => change(verdicts.find(([each]) => each === next)?.[1] ?? {})}
        options={verdicts.map(([each, verdict]) => [each, aclWords(verdict)] as const)}
      />
      <IconButton icon="trash" name={t('dynamic.removeAcl', { topic })} onClick={remove} />
      <Field label={t('people.filter')} name={name} value={topic} change={(next) => change({ topic: next })} required />
      <Field
        label={t('dynamic.priority')}
        name=""
        type="number"
        value={String(priority)}
        change={(next) => change({ priority: Math.trunc(Number(next)) || 0 })}
      />
    </div>
  );
}
