import { createHash, randomBytes } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const characters = 26;

/** The handle of a new session: 130 random bits. */
export function newHandle(): string {
  return handleFrom(randomBytes(characters));
}

/** The handle of the session that a caller's client has by a name of its own. */
export function handleOf(name: string, caller: string): string {
  return handleFrom(digest('name', caller, name));
}

/** What the cluster knows a session by: its handle does not follow from it, and another caller's differs. */
export function keyOf(handle: string, caller: string): string {
  return digest('session', caller, handle).toString('hex').slice(0, 40);
}

function digest(purpose: string, caller: string, text: string): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([purpose, caller, text]))
    .digest();
}

/** Five bits of each byte. */
function handleFrom(bytes: Buffer): string {
  return `ses_${[...bytes.subarray(0, characters)].map((byte) => alphabet.charAt(byte & 31)).join('')}`;
}
