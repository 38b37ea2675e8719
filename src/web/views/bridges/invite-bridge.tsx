// An invitation for another box: what is missing for it, what it says, and the moment in which it is handed over.

import { useState } from 'preact/hooks';
import type { Answer } from '../../api/answer.ts';
import { api, ask } from '../../api/client.ts';
import { saveAs } from '../../api/long-work.ts';
import type { paths } from '../../api/schema.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Dialog, Once } from '../../components/dialog.tsx';
import { Loading, Shown } from '../../components/faces.tsx';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { TrialBanner } from '../../components/trial-banner.tsx';
import { type Key, t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import { linkTo } from '../../router.ts';
import { notingTrial, waiting } from '../../settings/trial.ts';
import { Obstacles } from '../obstacles.tsx';
import { OpenPorts } from '../open-ports.tsx';
import { isHomeOnly } from '../phones/home-only.ts';
import { linesOf, type TopicLine } from './topic-line.ts';
import { TopicLines } from './topic-lines.tsx';

type Made = paths['/api/v1/bridge-invitations']['post']['responses'][200]['content']['application/json'];

type Setup = Answer<'/api/v1/bridge-invitations/setup'>;
type Obstacle = Setup['obstacles'][number];

const OBSTACLES: Readonly<Record<Obstacle['kind'], Key>> = {
  'no TLS': 'bridges.obstacle.noTls',
  'certificates only': 'bridges.obstacle.certificatesOnly',
  'no accounts': 'bridges.obstacle.noAccounts',
  'no rules': 'bridges.obstacle.noRules',
};

/** Makes the first invitation too. */
const BEGIN_RULES = "sudo midge bridge invite NAME --topics 'family/# both'";

const EVERY_MS = 5000;

interface InviteBridgeProps {
  readonly close: () => void;
  readonly invited: () => void;
}

/** InviteBridge asks for name and topics once nothing is missing; then the invitation is there, and with the dialog it goes. */
export function InviteBridge({ close, invited }: InviteBridgeProps) {
  const setup = useLive(loadSetup, EVERY_MS, [waiting.value === null]);
  const [opened, setOpened] = useState<readonly string[] | null>(null);
  const [made, setMade] = useState<Made | null>(null);
  const pass = (invitation: Made) => {
    setMade(invitation);
    invited();
  };
  if (made !== null) return <HandOver made={made} close={close} />;
  if (opened !== null) return <OpenPorts lines={opened} kept={() => setOpened(null)} close={() => setOpened(null)} />;
  return (
    <Dialog key="invite" title={t('bridges.invite')} close={close}>
      {waiting.value !== null ? (
        <TrialBanner />
      ) : (
        <Shown live={setup}>{(data) => <NextStep setup={data} open={setOpened} pass={pass} close={close} />}</Shown>
      )}
    </Dialog>
  );
}

/** A port that is there on trial may be gone in a minute, and the invitation with it. */
function loadSetup() {
  return notingTrial(ask(api.GET('/api/v1/bridge-invitations/setup')));
}

interface NextStepProps {
  readonly setup: Setup & { readonly isOnTrial: boolean };
  readonly open: (lines: readonly string[]) => void;
  readonly pass: (made: Made) => void;
  readonly close: () => void;
}

function NextStep({ setup, open, pass, close }: NextStepProps) {
  if (setup.isOnTrial) return <Loading />;
  if (setup.obstacles.length === 0) return <InviteForm setup={setup} pass={pass} close={close} />;
  return <Obstacles obstacles={setup.obstacles} words={(kind) => t(OBSTACLES[kind])} command={BEGIN_RULES} open={open} />;
}

function InviteForm({ setup: { hosts, needsHost }, pass, close }: Pick<NextStepProps, 'setup' | 'pass' | 'close'>) {
  const [name, setName] = useState('');
  const [topics, setTopics] = useState<readonly TopicLine[]>([]);
  const [host, setHost] = useState('');
  const called = host.trim() || (hosts[0] ?? '');
  const invite = async () => {
    const body = { name, topics: linesOf(topics), host: host.trim() || null };
    pass(await ask(api.POST('/api/v1/bridge-invitations', { body })));
  };
  return (
    <Form action={t('bridges.inviteDo')} send={invite} cancel={close}>
      <p class="hint">{t('bridges.inviteWords')}</p>
      <Field label={t('bridges.name')} name="name" value={name} change={setName} hint={t('bridges.nameHint')} required isFirst />
      <TopicLines topics={topics} change={setTopics} />
      <Field
        label={t('bridges.host')}
        name="host"
        value={host}
        change={setHost}
        hint={t(needsHost ? 'bridges.hostNeeded' : 'bridges.hostHint')}
        offers={hosts}
        required={needsHost}
      />
      {called !== '' && isHomeOnly(called) && (
        <p class="remarks warn">
          {t('bridges.hostHome', { host: called })} <a href={linkTo('outside')}>{t('outside.title')}</a>
        </p>
      )}
    </Form>
  );
}

function HandOver({ made, close }: { readonly made: Made; readonly close: () => void }) {
  const [isKept, setKept] = useState(false);
  const file = `${made.name}.conf`;
  const save = () => {
    saveAs({ name: file, content: new Blob([made.invitation], { type: 'text/plain' }) });
    setKept(true);
  };
  return (
    <Once title={t('bridges.madeTitle', { name: made.name })} close={close} isKept={isKept}>
      {(leave) => (
        <>
          <p>{t('bridges.madeWords', { host: made.host, port: made.port })}</p>
          <textarea
            class="bridge-invitation"
            rows={12}
            readOnly
            aria-label={t('bridges.madeTitle', { name: made.name })}
            value={made.invitation}
          />
          <div class="actions">
            <Button onClick={leave}>{t('dialog.close')}</Button>
            <CopyButton text={made.invitation} copied={() => setKept(true)} />
            <Button look="primary" icon="download" onClick={save}>
              {t('certificates.save', { file })}
            </Button>
          </div>
        </>
      )}
    </Once>
  );
}
