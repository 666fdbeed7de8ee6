import { randomBytes } from 'node:crypto';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';

/** 21 characters, 126 random bits: LibreChat takes no other ids. */
export function newId(): string {
  return Array.from(randomBytes(21), (byte) => alphabet.charAt(byte % 64)).join('');
}

export function isId(text: string): boolean {
  return /^[A-Za-z0-9_-]{21}$/.test(text);
}
