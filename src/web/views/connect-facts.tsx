// What somebody types into a device that is to connect.

import { api, ask } from '../api/client.ts';
import { Facts } from '../components/card.tsx';
import { Shown } from '../components/faces.tsx';
import { t } from '../i18n.ts';
import { useLive } from '../live.ts';

/** Listeners seldom change. */
const EVERY_MS = 60_000;

/** ConnectFacts names this box, as the browser reached it, and the ports that it has for MQTT. */
export function ConnectFacts({ username }: { readonly username: string }) {
  const listeners = useLive(() => ask(api.GET('/api/v1/listeners')), EVERY_MS);
  return (
    <Shown live={listeners}>
      {(all) => {
        const portsOf = (protocol: string, tls: boolean) =>
          all.filter((each) => each.protocol === protocol && each.tls === tls && each.port !== 0).map(({ port }) => String(port));
        const rows = [
          [t('connect.tls'), portsOf('mqtt', true)],
          [t('connect.plain'), portsOf('mqtt', false)],
          [t('connect.websocketTls'), portsOf('websockets', true)],
          [t('connect.websocket'), portsOf('websockets', false)],
        ] as const;
        const ports = rows.flatMap(([name, each]) => (each.length === 0 ? [] : [[name, each.join(', ')] as const]));
        return <Facts rows={[[t('connect.host'), location.hostname], [t('people.name'), username], ...ports]} />;
      }}
    </Shown>
  );
}
