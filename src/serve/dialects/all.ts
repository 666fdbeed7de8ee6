import type { Dialect } from './dialect.ts';
import { librechat } from './librechat/librechat.ts';
import { pistom } from './pistom.ts';
import { piston } from './piston/piston.ts';
import { primcs } from './primcs/primcs.ts';
import { pythonExecutor } from './python-executor/python-executor.ts';
import { pythonInterpreter } from './python-interpreter/python-interpreter.ts';
import { sandboxFusion } from './sandbox-fusion/sandbox-fusion.ts';

export const dialects: readonly Dialect[] = [
  piston,
  pistom,
  primcs,
  pythonInterpreter,
  pythonExecutor,
  librechat,
  sandboxFusion,
];

export interface Listening {
  dialect: Dialect;
  port: number;
}

/** The dialects that are asked for (`name` or `name:port`), each with its port. `faults` says what is wrong, one line each. */
export function chooseDialects(
  given: readonly string[],
  taken: { setting: string; port: number }[],
): { chosen: Listening[]; faults: string[] } {
  const faults: string[] = [];
  const chosen: Listening[] = [];
  const ports = new Map(taken.map(({ setting, port }) => [port, setting]));
  for (const text of given) {
    const [name = '', portText] = text.split(':');
    const dialect = dialectOf(name);
    const port = portText === undefined ? (dialect?.port ?? 0) : Number(portText);
    const other = port === 0 ? undefined : ports.get(port);
    const fault = !dialect
      ? `there is no dialect "${name}"; there are ${dialects.map((each) => each.name).join(', ')}`
      : chosen.some((each) => each.dialect === dialect)
        ? `${name} is there twice`
        : port > 65_535
          ? `${text}: a port is 65535 at most`
          : other !== undefined &&
            `${text}: port ${port} is that of ${other}; name another, such as ${name}:9001`;
    if (fault) faults.push(`dialects: ${fault}`);
    if (!dialect || fault) continue;
    ports.set(port, name);
    chosen.push({ dialect, port });
  }
  return { chosen, faults };
}

export function dialectOf(name: string): Dialect | undefined {
  return dialects.find((dialect) => dialect.name === name);
}
