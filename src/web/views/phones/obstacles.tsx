// What keeps phones from being set up: all of it, and the way past each. The ports that are missing are opened here, on trial as all settings.

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Answer } from '../../api/answer.ts';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Trouble } from '../../components/faces.tsx';
import { type Key, listed, plural, t } from '../../i18n.ts';
import { linkTo } from '../../router.ts';
import { Draft } from '../../settings/draft.ts';
import { portsOf, withLines } from '../../settings/setting-form.ts';
import { waiting } from '../../settings/trial.ts';
import { Review } from '../settings/review.tsx';
import '../../styles/settings.css';

type Obstacle = Answer<'/api/v1/phone-setup'>['obstacles'][number];

const WORDS: Readonly<Record<Obstacle['kind'], Key>> = {
  'no TLS': 'phones.obstacle.noTls',
  'no pages': 'phones.obstacle.noPages',
  'no accounts': 'phones.obstacle.noAccounts',
  'no rules': 'phones.obstacle.noRules',
};

/** Adds the first phone too. */
const BEGIN_RULES = 'sudo midge phone add NAME';

/** Obstacles says them in one card. */
export function Obstacles({ obstacles }: { readonly obstacles: readonly Obstacle[] }) {
  const [isOpening, setOpening] = useState(false);
  const lines = obstacles.flatMap((each) => each.lines);
  const ports = portsOf(lines);
  return (
    <Card title={t('phones.obstacle.title')} look="warn">
      <div class="stack">
        {obstacles.map(({ kind }) => (
          <div key={kind}>
            <p>{t(WORDS[kind])}</p>
            <WayPast kind={kind} />
          </div>
        ))}
        {ports.length > 0 && (
          <div class="actions">
            <Button look="primary" disabled={waiting.value !== null} onClick={() => setOpening(true)}>
              {plural('phones.openPorts', ports.length, { ports: listed(ports) })}
            </Button>
          </div>
        )}
      </div>
      {isOpening && <OpenPorts lines={lines} close={() => setOpening(false)} />}
    </Card>
  );
}

function WayPast({ kind }: Pick<Obstacle, 'kind'>) {
  if (kind === 'no accounts') {
    return (
      <p>
        <a href={linkTo('settings')}>{t('phones.toSettings')}</a>
      </p>
    );
  }
  if (kind !== 'no rules') return null;
  return (
    <div class="secret">
      <code>{BEGIN_RULES}</code>
      <CopyButton text={BEGIN_RULES} />
    </div>
  );
}

function OpenPorts({ lines, close }: { readonly lines: readonly string[]; readonly close: () => void }) {
  const draft = useMemo(() => new Draft((text) => withLines(text, lines)), []);
  useEffect(() => void draft.read(true), []);
  if (draft.problem.value === null) return <Review draft={draft} close={close} />;
  return (
    <Dialog title={t('settings.review')} close={close}>
      <Trouble problem={draft.problem.value} />
    </Dialog>
  );
}
