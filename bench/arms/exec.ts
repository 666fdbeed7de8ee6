import { Exec, type KubeConfig, type V1Status } from '@kubernetes/client-node';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { stopwatch, type Arm } from './arm.ts';

/** A new interpreter in a pod that runs already, for one run after the other: nothing keeps them apart. */
export function execArm(kubeConfig: KubeConfig, namespace: string, pod: string, container: string): Arm {
  const exec = new Exec(kubeConfig);
  return {
    name: 'exec',
    async run({ code }, signal) {
      const stdout = new PassThrough();
      const stderr = new PassThrough();
      const texts = Promise.all([text(stdout), text(stderr)]);
      const ended = Promise.withResolvers<V1Status>();
      const stop = () => {
        ended.reject(signal.reason);
      };
      signal.addEventListener('abort', stop, { once: true });
      try {
        const clock = stopwatch();
        const command = ['python3', '-c', code];
        const socket = await exec.exec(
          namespace,
          pod,
          container,
          command,
          stdout,
          stderr,
          null,
          false,
          ended.resolve,
        );
        socket.on('close', () => {
          ended.reject(new Error('The connection closed without a status.'));
        });
        const exitCode = exitCodeOf(await ended.promise);
        stdout.end();
        stderr.end();
        const [out, err] = await texts;
        const seconds = clock();
        socket.close();
        return { exitCode, stdout: out, stderr: err, seconds, marks: {} };
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
  };
}

function exitCodeOf({ status, details }: V1Status): number | null {
  if (status === 'Success') return 0;
  const cause = details?.causes?.find(({ reason }) => reason === 'ExitCode');
  return cause?.message === undefined ? null : Number(cause.message);
}
