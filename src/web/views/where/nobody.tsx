// Why nobody is to be seen, and for the owner what to do about it.

import type { ComponentChildren } from 'preact';
import type { Answer } from '../../api/answer.ts';
import { api, ask } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Empty, Shown, Trouble } from '../../components/faces.tsx';
import { toast } from '../../components/toast.tsx';
import { t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import { canHavePhone } from '../../phone-name.ts';
import { isOffered, linkTo } from '../../router.ts';
import { useSending } from '../../sending.ts';
import { currentSession, mayNow } from '../../visit.ts';
import { type Bond, bondOf } from '../phones/groups.ts';

const EVERY_MS = 30_000;

/** That of everybody's last location. */
const ALL_PHONES = 'owntracks/+/+';

interface NobodyProps {
  /** Is called when somebody may be seen from now on. */
  readonly changed: () => void;
}

/** Nobody stands where the list is empty. */
export function Nobody({ changed }: NobodyProps) {
  return isOffered('phones') ? (
    <NobodyForOwner changed={changed} />
  ) : (
    <Empty icon="pin" words={`${t('where.none')} ${t('where.askOwner')}`} />
  );
}

function NobodyForOwner({ changed }: NobodyProps) {
  const phones = useLive(() => ask(api.GET('/api/v1/phones')), EVERY_MS);
  const person = currentSession()?.username ?? '';
  const ways: Readonly<Record<Bond, ComponentChildren>> = {
    'no others': <a href={linkTo('phones')}>{t('where.toPhones')}</a>,
    'no phone': <a href={linkTo('phones', [], { add: person })}>{t('where.addOwn')}</a>,
    'no group': <a href={linkTo('phones', [], { groups: person })}>{t('where.toGroups')}</a>,
    shares: <a href={linkTo('phones')}>{t('where.toPhones')}</a>,
  };
  const seen = (bond: Bond) => {
    if (bond === 'no others') return <Empty icon="pin" words={t('where.none')} action={ways[bond]} />;
    return <NobodyByRules person={person} way={canHavePhone(person) ? ways[bond] : null} changed={changed} />;
  };
  return <Shown live={phones}>{(data) => seen(bondOf(data, person))}</Shown>;
}

type Rule = Answer<'/api/v1/rules'>['rules'][number];

interface OfPerson extends NobodyProps {
  readonly person: string;
}

/** With a group or without, a rule lets somebody see others. `way` leads to the group; null = no phone can have this name. */
function NobodyByRules({ person, way, changed }: OfPerson & { readonly way: ComponentChildren }) {
  const rules = useLive(() => findRules(person), EVERY_MS);
  const added = () => {
    void rules.refresh();
    changed();
  };
  return (
    <Shown live={rules}>
      {({ own, revision }) => {
        if (own.some(seesAll)) return <Empty icon="pin" words={t('where.none')} />;
        const action = (
          <SeeAll person={person} revision={revision} changed={added}>
            {way}
          </SeeAll>
        );
        return <Empty icon="pin" words={way === null ? t('where.noneName', { name: person }) : t('where.noneOwner')} action={action} />;
      }}
    </Shown>
  );
}

/** Without a file of rules there are none, and none can be added; the link leads to where they begin. */
async function findRules(username: string) {
  const { items } = await ask(api.GET('/api/v1/users', { params: { query: { limit: 1000 } } }));
  if (items.every(({ hasRules }) => hasRules === null)) return { own: [], revision: null };
  const { rules, revision } = await ask(api.GET('/api/v1/rules', { params: { query: { username } } }));
  return { own: rules, revision };
}

function seesAll({ kind, access, filter }: Rule): boolean {
  return kind === 'topic' && filter === ALL_PHONES && access !== 'deny';
}

interface SeeAllProps extends OfPerson {
  /** Null = there is no file of rules. */
  readonly revision: string | null;
  readonly children: ComponentChildren;
}

function SeeAll({ person, revision, changed, children }: SeeAllProps) {
  const { isBusy, problem, send } = useSending();
  const add = async () => {
    const rule = { kind: 'topic', access: 'read', filter: ALL_PHONES } as const;
    await ask(api.PATCH('/api/v1/rules', { body: { username: person, add: [rule], revision: revision ?? '' } }));
    toast(t('people.ruleAdded'));
    changed();
  };
  return (
    <div class="stack">
      {problem !== null && <Trouble problem={problem} />}
      {revision !== null && mayNow('admin') && (
        <Button look="primary" isBusy={isBusy} onClick={() => void send(add)}>
          {t('where.seeAll')}
        </Button>
      )}
      {children ?? <a href={linkTo('people', [person])}>{t('where.toRules')}</a>}
    </div>
  );
}
