import type { Client } from './client.ts';
import type { Permission } from './permissions.ts';

export interface Missing {
  verb: string;
  resource: string;
  /** The one object that it is about; undefined where it is about all. */
  name: string | undefined;
  why: string;
}

/** Asks the API server about each rule. What the account lacks. */
export async function missingPermissions(
  client: Client,
  rules: readonly Permission[],
  namespace: string,
  signal: AbortSignal,
): Promise<Missing[]> {
  const questions = rules.flatMap(({ verbs, names = [undefined], ...row }) =>
    verbs.flatMap((verb) => names.map((name) => ({ ...row, verb, name }))),
  );
  const answers = await Promise.all(
    questions.map(async ({ group, resource: path, verb, name, why }) => {
      const [resource, subresource] = path.split('/');
      const review = await client.json<{ status?: { allowed?: boolean } }>(
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        {
          method: 'POST',
          body: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SelfSubjectAccessReview',
            spec: { resourceAttributes: { namespace, group, resource, subresource, verb, name } },
          },
          signal,
        },
      );
      if (review.status?.allowed === true) return undefined;
      return { verb, resource: group ? `${path}.${group}` : path, name, why };
    }),
  );
  return answers.filter((answer) => answer !== undefined);
}
