import { randomBytes } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** Random characters, five bits each: valid in names, labels and paths. */
export function randomName(length: number): string {
  return Array.from(randomBytes(length), (byte) => alphabet.charAt(byte % 32)).join('');
}

/** 26 characters, 130 random bits: valid in names and labels, and not to be guessed. */
export function newExecutionId(): string {
  return randomName(26);
}

export const executionIdPattern = /^[a-z2-7]{26}$/;
