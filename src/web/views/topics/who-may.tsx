// Who may read and write at a topic, by the rules of now.

import type { Answer } from '../../api/answer.ts';
import { api, ask } from '../../api/client.ts';
import { Badge } from '../../components/card.tsx';
import { Dialog, Done } from '../../components/dialog.tsx';
import { Shown } from '../../components/faces.tsx';
import { t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import { linkTo } from '../../router.ts';

type WhoCan = Answer<'/api/v1/rules/who-can'>;
type Who = WhoCan['people'][number];

const EVERY_MS = 5000;

/** WhoMay is a dialog for an admin. */
export function WhoMay({ topic, close }: { readonly topic: string; readonly close: () => void }) {
  const who = useLive(() => ask(api.GET('/api/v1/rules/who-can', { params: { query: { topic } } })), EVERY_MS, [topic]);
  return (
    <Dialog title={t('topics.whoTitle', { topic })} close={close}>
      <Shown live={who}>{(answer) => <Named {...answer} />}</Shown>
      <Done close={close} />
    </Dialog>
  );
}

function Named({ everybody, people }: WhoCan) {
  const able = people.filter(({ receive, publish }) => receive || publish).sort(byName);
  if (everybody) return <p>{t('may.noRules')}</p>;
  if (able.length === 0) return <p>{t('topics.whoNone')}</p>;
  return (
    <>
      <ul class="plain-list">
        {able.map((each) => (
          <li key={[each.who, each.username, each.client].join(' ')}>
            <Name {...each} /> {each.receive && <Badge look="quiet">{t('topics.whoReads')}</Badge>}{' '}
            {each.publish && <Badge look="quiet">{t('topics.whoWrites')}</Badge>}
          </li>
        ))}
      </ul>
      <p class="hint">{t('topics.whoElse')}</p>
    </>
  );
}

/** Who has no name comes last. */
function byName(one: Who, other: Who): number {
  if (one.username === null || other.username === null) return Number(one.username === null) - Number(other.username === null);
  return one.username.localeCompare(other.username);
}

function Name({ who, username, client }: Who) {
  const name = username ?? t(who === 'no user name' ? 'may.nobody' : 'topics.whoOther');
  const words = client === null ? name : `${name} (${client})`;
  return username === null ? words : <a href={linkTo('people', [username])}>{words}</a>;
}
