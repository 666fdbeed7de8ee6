import { randomBytes } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** 26 characters, 130 random bits: valid in names and labels, and not to be guessed. */
export function newExecutionId(): string {
  return Array.from(randomBytes(26), (byte) => alphabet.charAt(byte % 32)).join('');
}

export const executionIdPattern = /^[a-z2-7]{26}$/;
