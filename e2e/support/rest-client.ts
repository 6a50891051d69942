/** For specs: a caller of the REST door. Knows nothing of the contract but paths. */
import type { TestCore } from './core.ts';

/** What came back. */
export interface RestAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Calls `/api/v1` of a core with the operator's token, or another one. */
export class RestClient {
  readonly #core: TestCore;
  readonly #token: string;

  constructor(core: TestCore, token: string = core.token) {
    this.#core = core;
    this.#token = token;
  }

  /** One call; the body of the answer is parsed. */
  async call(method: string, path: string, body?: unknown): Promise<RestAnswer> {
    const response = await fetch(`${this.#core.run.apiUrl}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** One call that must succeed. */
  async ok(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.call(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
}
