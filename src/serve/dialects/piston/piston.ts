import { Router } from 'express';
import type { Dialect } from '../dialect.ts';

/** Piston: its HTTP interface of version 2. */
export const piston: Dialect = {
  name: 'piston',
  port: 2000,
  open: () => ({ routes: Router() }),
};
