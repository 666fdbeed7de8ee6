interface ErrorKind {
  /** HTTP status of the answer. */
  http: number;
  /** Whether the same request may succeed later, unchanged. */
  retryable: boolean;
  /** What to do. */
  hint: string;
}

/** Every way the service itself can fail. A program that fails is a result, not an error. */
export const errorKinds = {
  invalid_request: { http: 400, retryable: false, hint: 'Correct the named field.' },
  unauthenticated: {
    http: 401,
    retryable: false,
    hint: 'Go through the proxy that authenticates callers.',
  },
  not_found: {
    http: 404,
    retryable: false,
    hint: 'Check the path and the id; ended runs are kept for a short time only.',
  },
  too_large: { http: 413, retryable: false, hint: 'Send less, or raise the limit that is named.' },
  file_refused: {
    http: 403,
    retryable: false,
    hint: 'This server does not fetch from there: send the file’s content, or have its operator allow it (fetchHosts, fetchNetworks).',
  },
  file_unavailable: {
    http: 502,
    retryable: true,
    hint: 'Check the URL and that the server reaches it, or send the file’s content.',
  },
  build_failed: {
    http: 422,
    retryable: false,
    hint: 'Correct the requirements, or require less at one time: the text says why.',
  },
  build_timeout: {
    http: 504,
    retryable: true,
    hint: 'Require less at one time, or raise buildSeconds.',
  },
  index_unavailable: {
    http: 503,
    retryable: true,
    hint: 'Try again; if it stays, check packageIndex and the way of builds to it.',
  },
  environments_unavailable: {
    http: 501,
    retryable: false,
    hint: 'Use the packages that are installed (list_packages), or have the operator set environments up.',
  },
  artifacts_unavailable: {
    http: 503,
    retryable: true,
    hint: 'Try again later; the store of artifacts (artifactStore) must answer and let this server in.',
  },
  session_ended: {
    http: 410,
    retryable: false,
    hint: 'Create a new session: the variables and files of this one are gone.',
  },
  too_many_sessions: {
    http: 429,
    retryable: true,
    hint: 'End a session that is not needed (end_session), or wait until one has been idle for its time.',
  },
  session_unreachable: {
    http: 503,
    retryable: true,
    hint: 'Try again; if it stays, check that replicas reach each other (advertiseUrl).',
  },
  file_not_found: { http: 404, retryable: false, hint: 'List the files of the session (list_files).' },
  file_unusable: {
    http: 422,
    retryable: false,
    hint: 'Name a regular file below the workspace, by a relative path without links.',
  },
  workspace_full: {
    http: 507,
    retryable: false,
    hint: 'Delete files in the workspace, or write less.',
  },
  piston_unavailable: {
    http: 503,
    retryable: true,
    hint: 'Try again; if it stays, check pistonUrl and that the server reaches it.',
  },
  piston_failed: {
    http: 502,
    retryable: true,
    hint: 'Piston did not do what it should: see its own log.',
  },
  queue_full: { http: 429, retryable: true, hint: 'Try again after the time given, or add replicas.' },
  queue_timeout: { http: 503, retryable: true, hint: 'Try again later, or raise concurrency.' },
  shutting_down: {
    http: 503,
    retryable: true,
    hint: 'Try again: another replica answers, or this one soon.',
  },
  cancelled: { http: 499, retryable: true, hint: 'The request was cancelled before its code ran.' },
  image_pull_failed: {
    http: 503,
    retryable: true,
    hint: 'Check the image’s name and tag, the pull secret, and that nodes reach the registry.',
  },
  quota_exceeded: {
    http: 503,
    retryable: true,
    hint: 'Try again when other runs have ended, or raise the ResourceQuota of the sandbox namespace.',
  },
  unschedulable: {
    http: 503,
    retryable: true,
    hint: 'Ask for less CPU or memory, or add nodes that fit.',
  },
  forbidden: {
    http: 500,
    retryable: false,
    hint: 'The cluster refuses what this server may do: run `vivarium doctor`.',
  },
  sandbox_failed: {
    http: 500,
    retryable: true,
    hint: 'The sandbox could not start: check the image and the node; `kubectl describe` on the Job says more.',
  },
  start_timeout: {
    http: 504,
    retryable: true,
    hint: 'The cluster is slow to start pods: try again, or raise startTimeoutSeconds.',
  },
  cluster_unreachable: {
    http: 503,
    retryable: true,
    hint: 'The Kubernetes API server does not answer: check it, and the network to it.',
  },
  internal: {
    http: 500,
    retryable: false,
    hint: 'This is a fault of Vivarium: please report it with the log.',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

/** The service could not do what was asked. The message is one sentence for a person. */
export class ServiceError extends Error {
  override name = 'ServiceError';
  readonly code: ErrorCode;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Whether an error is its caller's to mend. Its words may hold what was asked for, such as names of files: no log has them. */
export function isOfRequest({ code }: ServiceError): boolean {
  return errorKinds[code].http < 500 || code === 'file_unavailable' || code === 'workspace_full';
}

/** What callers see of an error; the inside of an unexpected one stays in the log. */
export function describeError(error: unknown) {
  const known =
    error instanceof ServiceError
      ? error
      : new ServiceError('internal', 'The service failed in a way that it does not know.');
  const { http, retryable, hint } = errorKinds[known.code];
  return {
    http,
    body: {
      error: {
        code: known.code,
        message: known.message,
        hint,
        retryable,
        retry_after_seconds: known.retryAfterSeconds ?? null,
      },
    },
  };
}
