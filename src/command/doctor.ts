import { loadConfig } from '../config.ts';
import { diagnose } from '../sandbox/diagnose.ts';

/** Prints one line for each thing looked at, and the command that mends what is wrong. 0 if all is well. */
export async function doctor(): Promise<number> {
  const findings = await diagnose(loadConfig(), AbortSignal.timeout(30_000));
  for (const { ok, what, mend } of findings) {
    console.log(`${ok ? 'ok     ' : 'missing'}  ${what}`);
    if (!ok && mend !== undefined) console.log(`         -> ${mend}`);
  }
  const bad = findings.filter(({ ok }) => !ok).length;
  console.log(bad === 0 ? 'All is well.' : `${bad} of ${findings.length} need attention.`);
  return bad === 0 ? 0 : 1;
}
