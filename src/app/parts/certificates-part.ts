// The appliance's own certificates as a part: made when the first listener wants one, by a reload too.

import { systemClock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Certificates } from '../../certificates/certificates.ts';
import type { MachineNames } from '../../certificates/options.ts';
import type { Configuration } from '../../config/configuration.ts';
import { wantsOurs } from '../../listeners/options.ts';
import type { StateFolder } from '../../state/state-folder.ts';
import type { AppliancePart, Step } from '../parts.ts';

export interface CertificatesPartSetup {
  /** What the start is asked for. */
  readonly configuration: Configuration;
  readonly state: StateFolder;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly buildDate: number;
  readonly machine: () => MachineNames;
  /** Called when a certificate or the list of revoked ones is another one. */
  readonly changed: () => void;
}

/** CertificatesPart keeps them from then on, whether a listener still wants one or not. */
export class CertificatesPart implements AppliancePart {
  readonly name = 'certificates';
  readonly #setup: CertificatesPartSetup;
  #certificates: Certificates | null = null;

  constructor(setup: CertificatesPartSetup) {
    this.#setup = setup;
  }

  /** certificates is null while nobody has wanted any. */
  get certificates(): Certificates | null {
    return this.#certificates;
  }

  /** ours are the certificates of a listener that wants them. */
  ours(): Certificates {
    if (this.#certificates === null) throw new Error('certificates are not made yet');
    return this.#certificates;
  }

  async start(): Promise<void> {
    await this.prepare(this.#setup.configuration);
  }

  async stop(): Promise<void> {
    await this.#certificates?.stop();
  }

  /** Listeners are prepared with them: they are there before the step is taken. */
  async prepare({ listeners, certificateNames }: Configuration): Promise<Step | null> {
    if (this.#certificates !== null || !listeners.some(wantsOurs)) return null;
    const { log, state, buildDate, machine, changed } = this.#setup;
    const { createCertificates } = await import('../../certificates/certificates.ts');
    state.make();
    const options = { folder: state.certificates, extraNames: certificateNames };
    const certificates = createCertificates({ options, clock: systemClock, log, buildDate, machine });
    await certificates.start();
    certificates.onChange(changed);
    this.#certificates = certificates;
    return {
      commit: () => {},
      undo: async () => {
        this.#certificates = null;
        await certificates.stop();
      },
    };
  }
}
