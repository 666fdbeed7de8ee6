import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendStatus } from './answers.ts';

/** What goes wrong with a request. */
export type Fault =
  /** It is answered with an error. */
  | { status: number; reason?: string; message?: string }
  /** It is carried out, and the connection breaks before the answer. */
  | 'reset after'
  /** The connection breaks before it is carried out. */
  | 'reset'
  /** It is never answered. */
  | 'hang';

interface Rule {
  method: string;
  path: RegExp;
  fault: Fault;
  times: number;
}

/** Faults that tests order. */
export class Faults {
  readonly #rules: Rule[] = [];
  readonly #hanging = new Set<ServerResponse>();

  /** The next `times` requests of this kind meet the fault. */
  order(method: string, path: RegExp, fault: Fault, times = 1): void {
    this.#rules.push({ method, path, fault, times });
  }

  clear(): void {
    this.#rules.length = 0;
    for (const response of this.#hanging) response.destroy();
    this.#hanging.clear();
  }

  take(method: string, path: string): Fault | undefined {
    const rule = this.#rules.find((each) => each.times > 0 && each.method === method && each.path.test(path));
    if (rule) rule.times -= 1;
    return rule?.fault;
  }

  /** Whether the request ends here. */
  meet(fault: Fault | undefined, req: IncomingMessage, res: ServerResponse): boolean {
    if (fault === undefined || fault === 'reset after') return false;
    if (fault === 'reset') req.socket.destroy();
    else if (fault === 'hang') this.#hanging.add(res);
    else sendStatus(res, fault.status, fault.reason ?? '', fault.message ?? 'as the test ordered');
    return true;
  }
}
