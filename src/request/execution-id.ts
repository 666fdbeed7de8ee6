import { randomBytes } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** A character for each byte, of five of its bits: valid in names, labels and paths. */
export function nameOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => alphabet.charAt(byte % 32)).join('');
}

export function randomName(length: number): string {
  return nameOf(randomBytes(length));
}

/** 26 characters, 130 random bits: valid in names and labels, and not to be guessed. */
export function newExecutionId(): string {
  return randomName(26);
}

export const executionIdPattern = /^[a-z2-7]{26}$/;
