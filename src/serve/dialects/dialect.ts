import type { McpServerFactory } from '@modelcontextprotocol/server';
import type { Router } from 'express';
import type { Shelf } from '../../artifacts/shelf.ts';
import type { Config } from '../../config.ts';
import type { Logger } from '../../observe/log.ts';
import type { Piston } from '../../piston/piston.ts';
import type { Service } from '../../schedule/service.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import type { CallerOf } from '../caller.ts';
import type { Offers } from '../offers.ts';

/** Another system whose clients may call: what it is asked and answers, translated into runs and back. */
export interface Dialect {
  /** As in the setting `dialects`. */
  name: string;
  /** Where clients of that system look for it. */
  port: number;
  open(behind: Behind): Door;
}

export interface Door {
  /** Routes of its own, with their body parsers and errors; what they do not answer is 404 in that system's words. */
  routes?: Router;
  /** Its tools, and the paths of their endpoint. */
  mcp?: { factory: McpServerFactory; paths: string[] };
}

/** What a dialect translates into. */
export interface Behind {
  service: Pick<Service, 'execute'>;
  sessions: Sessions;
  shelf: Shelf;
  offers: Omit<Offers, 'locate'>;
  /** Undefined where none is configured. */
  piston: Piston | undefined;
  settings: Config;
  callerOf: CallerOf;
  log: Logger;
}
