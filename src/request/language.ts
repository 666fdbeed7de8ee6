/** Whether code is Python, which runs in sandboxes; other languages run on a Piston, which has less around a program. */
export function isPython(language: string): boolean {
  return /^(py|py3|python|python3|python3\.\d+)$/i.test(language);
}

interface Asked {
  language: string;
  requirements: readonly string[];
  session_id?: string | undefined;
  fresh_interpreter: boolean;
  env: Record<string, string>;
  limits: { cpu?: number | undefined };
  pool?: unknown;
}

interface Refusal {
  path: string[];
  message: string;
}

/** What a request names that Piston has nothing for: it is refused, not ignored. */
export function refusedElsewhere(request: Asked): Refusal[] {
  const { language, requirements, session_id, fresh_interpreter, env, limits, pool } = request;
  if (isPython(language)) return [];
  const named: [boolean, string[], string][] = [
    [requirements.length > 0, ['requirements'], 'packages can be required for Python only'],
    [session_id !== undefined, ['session_id'], 'sessions run Python only'],
    [fresh_interpreter, ['fresh_interpreter'], 'sessions run Python only'],
    [
      Object.keys(env).length > 0,
      ['env'],
      'environment variables can be set for Python only: use args or stdin',
    ],
    [limits.cpu !== undefined, ['limits', 'cpu'], 'CPUs can be asked for in Python only'],
    [pool !== undefined, ['pool'], 'pools have sandboxes for Python only'],
  ];
  return named
    .filter(([isNamed]) => isNamed)
    .map(([, path, message]) => ({ path, message: `${message}; the language is "${language}"` }));
}
