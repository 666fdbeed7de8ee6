import type { McpServerFactory } from '@modelcontextprotocol/server';
import type { RequestHandler, Router } from 'express';
import type { Shelf } from '../../artifacts/shelf.ts';
import type { Logger } from '../../observe/log.ts';
import type { Piston } from '../../piston/piston.ts';
import type { Places } from '../../piston/places.ts';
import type { ExecutionRequestSchema } from '../../request/execution.ts';
import type { Service } from '../../schedule/service.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import type { CallerOf } from '../caller.ts';
import type { FrontSettings } from '../front.ts';
import type { DoorSettings } from '../mcp.ts';
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
  /**
   * Routes of its own, with their body parsers and errors. Its last are a 404 and errors in that system's words; what they
   * leave is answered in those of Vivarium.
   */
  routes?: Router;
  /** Its tools, and the exact paths of their endpoint ("/mcp" is not "/mcp/"), which come before the routes. */
  mcp?: {
    factory: McpServerFactory;
    paths: string[];
    /** Each answer is one JSON body, where clients of that system read no event streams. */
    answers?: 'json';
    /** Its clients are known by the mcp-session-id of the 2025 era; with DELETE one says that it goes. */
    sessions?: { leave: RequestHandler };
  };
}

/** What a dialect translates into. */
export interface Behind {
  service: Pick<Service, 'execute'>;
  /** Checks a request of ours. */
  requestSchema: ExecutionRequestSchema;
  sessions: Sessions;
  shelf: Shelf;
  offers: Omit<Offers, 'locate'>;
  /** Undefined where none is configured. */
  piston: Piston | undefined;
  /** The places for runs on it, and the queue before them. */
  pistonPlaces: Places;
  settings: DialectSettings;
  callerOf: CallerOf;
  log: Logger;
}

/** Settings that dialects go by; each takes what it needs. */
export interface DialectSettings extends DoorSettings, FrontSettings {
  artifactBytes: number;
  fetchNetworks: string[];
  fetchSeconds: number;
  pistonPythons: string[];
  pistonPackages: boolean;
}
