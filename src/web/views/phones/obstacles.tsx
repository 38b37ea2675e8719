// What keeps phones from being set up: all of it, and the way past each.

import type { Answer } from '../../api/answer.ts';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { type Key, listed, plural, t } from '../../i18n.ts';
import { linkTo } from '../../router.ts';
import { portsOf } from '../../settings/setting-form.ts';
import { waiting } from '../../settings/trial.ts';

type Obstacle = Answer<'/api/v1/phone-setup'>['obstacles'][number];

const WORDS: Readonly<Record<Obstacle['kind'], Key>> = {
  'no TLS': 'phones.obstacle.noTls',
  'no pages': 'phones.obstacle.noPages',
  'no accounts': 'phones.obstacle.noAccounts',
  'no rules': 'phones.obstacle.noRules',
};

/** Adds the first phone too. */
const BEGIN_RULES = 'sudo midge phone add NAME';

export interface ObstaclesProps {
  readonly obstacles: readonly Obstacle[];
  /** Opens the ports that are missing, by lines of the configuration. */
  readonly open: (lines: readonly string[]) => void;
}

/** Obstacles says them in one card. */
export function Obstacles({ obstacles, open }: ObstaclesProps) {
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
            <Button look="primary" disabled={waiting.value !== null} onClick={() => open(lines)}>
              {plural('phones.openPorts', ports.length, { ports: listed(ports) })}
            </Button>
          </div>
        )}
      </div>
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
