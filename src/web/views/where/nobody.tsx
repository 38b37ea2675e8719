// Why nobody is to be seen, and for the owner what to do about it.

import type { ComponentChildren } from 'preact';
import { api, ask } from '../../api/client.ts';
import { Empty, Shown } from '../../components/faces.tsx';
import { t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import { canHavePhone } from '../../phone-name.ts';
import { isOffered, linkTo } from '../../router.ts';
import { currentSession } from '../../visit.ts';
import { type Bond, bondOf } from '../phones/groups.ts';

const EVERY_MS = 30_000;

/** Nobody stands where the list is empty. */
export function Nobody() {
  return isOffered('phones') ? <NobodyForOwner /> : <Empty icon="pin" words={t('where.none')} />;
}

function NobodyForOwner() {
  const phones = useLive(() => ask(api.GET('/api/v1/phones')), EVERY_MS);
  const person = currentSession()?.username ?? '';
  const ways: Readonly<Record<Bond, ComponentChildren>> = {
    'no others': <a href={linkTo('phones')}>{t('where.toPhones')}</a>,
    'no phone': <a href={linkTo('phones', [], { add: person })}>{t('where.addOwn')}</a>,
    'no group': <a href={linkTo('phones', [], { groups: person })}>{t('where.toGroups')}</a>,
    shares: <a href={linkTo('phones')}>{t('where.toPhones')}</a>,
  };
  const seen = (bond: Bond) => {
    if (bond === 'no others' || canHavePhone(person)) return <Empty icon="pin" words={t('where.noneOwner')} action={ways[bond]} />;
    const rules = <a href={linkTo('people', [person])}>{t('where.toRules')}</a>;
    return <Empty icon="pin" words={t('where.noneName', { name: person })} action={rules} />;
  };
  return <Shown live={phones}>{(data) => seen(bondOf(data, person))}</Shown>;
}
