import type { Client } from './client.ts';
import { permissions } from './permissions.ts';

export interface Missing {
  verb: string;
  resource: string;
  why: string;
}

/** Asks the API server about each rule of the table. What the account lacks. */
export async function missingPermissions(
  client: Client,
  namespace: string,
  signal: AbortSignal,
): Promise<Missing[]> {
  const rules = permissions.flatMap((row) => row.verbs.map((verb) => ({ ...row, verb })));
  const answers = await Promise.all(
    rules.map(async ({ group, resource: path, verb, why }) => {
      const [resource, subresource] = path.split('/');
      const review = await client.json<{ status?: { allowed?: boolean } }>(
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        {
          method: 'POST',
          body: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SelfSubjectAccessReview',
            spec: { resourceAttributes: { namespace, group, resource, subresource, verb } },
          },
          signal,
        },
      );
      const name = group ? `${path}.${group}` : path;
      return review.status?.allowed === true ? undefined : { verb, resource: name, why };
    }),
  );
  return answers.filter((answer) => answer !== undefined);
}
