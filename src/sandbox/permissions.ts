import type { Config } from '../config.ts';
import { environmentRecords } from './names.ts';

/** What the server's account may do in the sandbox namespace. The chart's Role is made from these tables. */
export const permissions: readonly Permission[] = [
  {
    group: 'batch',
    resource: 'jobs',
    verbs: ['create', 'get', 'list', 'patch', 'delete'],
    why: 'a run or a session is a Job; a run in a waiting sandbox, and how a session fares, is written on its Job; cancelling a run deletes it',
  },
  { group: '', resource: 'pods', verbs: ['list', 'watch'], why: 'how the pod of a Job fares' },
  // A WebSocket upgrade is a GET; newer API servers ask for create as well.
  { group: '', resource: 'pods/attach', verbs: ['get', 'create'], why: 'code in, frames out' },
  { group: '', resource: 'pods/log', verbs: ['get'], why: 'the record of a run' },
  { group: '', resource: 'events', verbs: ['list', 'watch'], why: 'why a Job has no pod (quota, admission)' },
  {
    group: 'coordination.k8s.io',
    resource: 'leases',
    verbs: ['create', 'list', 'update', 'delete'],
    why: 'a replica is alive while its Lease is; a dead one takes its Jobs with it',
  },
];

/** What it may do beside that where there is a volume for environments. */
export const environmentPermissions: readonly Permission[] = [
  {
    group: '',
    resource: 'configmaps',
    verbs: ['get', 'patch'],
    names: [environmentRecords],
    why: 'which environments there are, and when each was last used',
  },
];

export function permissionsFor({ environmentsClaim }: Pick<Config, 'environmentsClaim'>) {
  return environmentsClaim === '' ? permissions : [...permissions, ...environmentPermissions];
}

export interface Permission {
  /** API group, '' for core. */
  group: string;
  /** Resource, or resource/subresource. */
  resource: string;
  verbs: readonly string[];
  /** The objects that it is for. Absent: all. */
  names?: readonly string[];
  why: string;
}
