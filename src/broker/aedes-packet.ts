// A message as Aedes' own interfaces show it, and who takes it there.

/** Listener is an in-process subscriber (Aedes' `subscribe`). */
export type Listener = (packet: AedesPacket, done: () => void) => void;

/** AedesPacket is a message as Aedes' own interfaces show it. */
export interface AedesPacket {
  cmd: 'publish';
  brokerId?: string | undefined;
  brokerCounter?: number | undefined;
  clientId?: string | undefined;
  topic: string;
  payload: Buffer;
  qos: 0 | 1 | 2;
  retain: boolean;
  dup: boolean;
  properties?: object | undefined;
}
