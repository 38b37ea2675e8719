// What is shown to an authority that asks over HTTP whether a name is ours (RFC 8555 8.3).

import { createServer } from 'node:http';
import { OperatorError, reasonOf } from '../base/errors.ts';

export const CHALLENGE_PATH = '/.well-known/acme-challenge/';

/** ChallengeAnswers are there while an order runs. */
export class ChallengeAnswers {
  readonly #answers = new Map<string, string>();

  set(token: string, answer: string): void {
    this.#answers.set(token, answer);
  }

  delete(token: string): void {
    this.#answers.delete(token);
  }

  /** answerTo gives the text for a path of a request, or null: there is nothing to show. */
  answerTo(path: string): string | null {
    return path.startsWith(CHALLENGE_PATH) ? (this.#answers.get(path.slice(CHALLENGE_PATH.length)) ?? null) : null;
  }
}

/** serveAnswers opens a port that shows the answers and nothing else; the function it gives closes it. Throws OperatorError when it can't be opened. */
export async function serveAnswers(answers: ChallengeAnswers, port: number): Promise<() => void> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    const answer = request.method === 'GET' ? answers.answerTo(request.url ?? '') : null;
    response.writeHead(answer === null ? 404 : 200, { 'content-type': 'text/plain', connection: 'close' }).end(answer ?? '');
  });
  server.maxConnections = 50;
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, resolve));
  } catch (error) {
    throw new OperatorError(`Cannot open port ${port} for the authority's question: ${reasonOf(error)}`, { cause: error });
  }
  return () => {
    server.close();
    server.closeAllConnections();
  };
}
