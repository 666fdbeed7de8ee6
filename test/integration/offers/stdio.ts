/** Serves the fixture over stdin and stdout, as long as stdin is open. */
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { offeringFactory } from './fixture.ts';

serveStdio(offeringFactory({ caller: '' }));
