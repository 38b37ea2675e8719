// What somebody types into a device that is to connect.

import { api, ask } from '../api/client.ts';
import { Facts } from '../components/card.tsx';
import { Shown } from '../components/faces.tsx';
import { t } from '../i18n.ts';
import { useLive } from '../live.ts';

/** Listeners seldom change. */
const EVERY_MS = 60_000;

/** ConnectFacts names this box, as devices of the network find it, the ports that it has for MQTT with a password, and the topics that an account may use; null = they are not told. */
export function ConnectFacts({ username, topics }: { readonly username: string; readonly topics: readonly string[] | null }) {
  const listeners = useLive(() => ask(api.GET('/api/v1/listeners')), EVERY_MS);
  return (
    <Shown live={listeners}>
      {(all) => {
        const usable = all.filter(
          ({ protocol, port, wantsCertificate }) => port !== 0 && !wantsCertificate && (protocol === 'mqtt' || protocol === 'websockets'),
        );
        const reachable = usable.filter(({ hosts }) => hosts.length > 0);
        const shown = reachable.length === 0 ? usable : reachable;
        const { hosts = [location.hostname] } = reachable.find(({ tls }) => tls) ?? reachable[0] ?? {};
        const portsOf = (protocol: string, tls: boolean) =>
          shown.filter((each) => each.protocol === protocol && each.tls === tls).map(({ port }) => String(port));
        const rows = [
          [t('connect.tls'), portsOf('mqtt', true)],
          [t('connect.plain'), portsOf('mqtt', false)],
          [t('connect.websocketTls'), portsOf('websockets', true)],
          [t('connect.websocket'), portsOf('websockets', false)],
        ] as const;
        const ports = rows.flatMap(([name, each]) => (each.length === 0 ? [] : [[name, each.join(', ')] as const]));
        const used = topics === null ? [] : [[t('connect.topics'), topics.join(', ')] as const];
        return (
          <>
            <Facts rows={[[t('connect.host'), hosts.join(', ')], [t('people.name'), username], ...ports, ...used]} />
            {reachable.length === 0 && <p class="remarks warn">{t('connect.onlyHere')}</p>}
          </>
        );
      }}
    </Shown>
  );
}
