// What keeps phones from being set up, or another box from being invited: all of it, and the way past each.

import { Button } from '../components/button.tsx';
import { CopyButton } from '../components/copy-button.tsx';
import { listed, plural, t } from '../i18n.ts';
import { linkTo } from '../router.ts';
import { portsOf } from '../settings/setting-form.ts';
import { waiting } from '../settings/trial.ts';

/** Obstacle is one of them, as the box tells it. */
export interface Obstacle {
  readonly kind: string;
  /** That take it away at the end of the configuration; none = it takes something else. */
  readonly lines: readonly string[];
}

export interface ObstaclesProps<T extends Obstacle> {
  readonly obstacles: readonly T[];
  readonly words: (kind: T['kind']) => string;
  /** Begins rules, as root. */
  readonly command: string;
  /** Opens the ports that are missing, by lines of the configuration. */
  readonly open: (lines: readonly string[]) => void;
}

/** Obstacles says them one below the other, with one button for all ports. */
export function Obstacles<T extends Obstacle>({ obstacles, words, command, open }: ObstaclesProps<T>) {
  const lines = obstacles.flatMap((each) => each.lines);
  const ports = portsOf(lines);
  return (
    <div class="stack">
      {obstacles.map(({ kind }) => (
        <div key={kind}>
          <p>{words(kind)}</p>
          <WayPast kind={kind} command={command} />
        </div>
      ))}
      {ports.length > 0 && (
        <div class="actions">
          <Button look="primary" disabled={waiting.value !== null} onClick={() => open(lines)}>
            {plural('ports.open', ports.length, { ports: listed(ports) })}
          </Button>
        </div>
      )}
    </div>
  );
}

function WayPast({ kind, command }: { readonly kind: string; readonly command: string }) {
  if (kind === 'no accounts') {
    return (
      <p>
        <a href={linkTo('settings')}>{t('ports.toSettings')}</a>
      </p>
    );
  }
  if (kind !== 'no rules') return null;
  return (
    <div class="secret">
      <code>{command}</code>
      <CopyButton text={command} />
    </div>
  );
}
