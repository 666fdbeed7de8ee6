import { leastLimits } from '../../../piston/limits.ts';
import type { Piston, PistonJob } from '../../../piston/piston.ts';
import { inPlace, type Places } from '../../../piston/places.ts';
import type { Asked, AskedFile } from './ask.ts';
import { Refusal } from './refusal.ts';
import { inOrder } from './stage.ts';

/** Runs another language on the Piston behind. Throws Refusal, and what that and its queue do. */
export async function runElsewhere(
  piston: Pick<Piston, 'execute'>,
  places: Places,
  asked: Asked,
  signal: AbortSignal,
) {
  const job = jobOf(asked);
  const outcome = await inPlace(places, () => piston.execute(job), signal);
  if ('refused' in outcome) throw new Refusal(outcome.refused);
  const { compile, run, language, version } = outcome.answer;
  return { ...(compile && { compile: inOrder(compile) }), run: inOrder(run), language, version };
}

/** What is not asked for is left out, and nothing is as small as 0: a Piston takes that for no limit. */
function jobOf({ runtime: { language, version }, files, stdin, args, limits }: Asked): PistonJob {
  files.forEach(checkOption);
  return {
    language,
    version,
    files: files.map(({ name, isNamed, content, encoding }) => ({
      ...(isNamed && { name }),
      content,
      encoding,
    })),
    stdin,
    args,
    ...leastLimits(limits),
  };
}

/** A Piston hands names to compilers and interpreters as they are. */
function checkOption({ name }: AskedFile, place: number): void {
  if (name.startsWith('-')) throw new Refusal(`files[${place}].name: a name begins with no hyphen`);
}
