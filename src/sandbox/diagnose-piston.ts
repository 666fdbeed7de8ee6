import { createPiston, type PistonSettings } from '../piston/client.ts';
import type { Finding } from './diagnose.ts';

/** Whether the Piston that is set answers, and what it has. Without it the server has Python all the same. */
export async function diagnosePiston(settings: PistonSettings, signal: AbortSignal): Promise<Finding[]> {
  const { pistonUrl } = settings;
  if (pistonUrl === '') return [];
  const piston = createPiston(settings);
  try {
    const languages = new Set((await piston.runtimes(signal)).map(({ language }) => language));
    const what = languages.size === 0 ? 'has no language yet' : `has ${[...languages].join(', ')}`;
    return [{ ok: true, what: `Piston: ${pistonUrl} ${what}` }];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [
      {
        ok: false,
        what: `Piston: ${pistonUrl}: ${why}`,
        mend: 'correct VIVARIUM_PISTON_URL, or start Piston',
      },
    ];
  } finally {
    await piston.close();
  }
}
