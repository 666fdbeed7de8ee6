/**
 * Programs that try to speak as their agent, or to end it. Each prints what it achieved, and exits with 7: the result
 * must say just that.
 */
export interface Attack {
  name: string;
  code: string;
  stdout: string;
}

const frames = [
  { seq: 0, type: 'started', execution_id: 'a'.repeat(26) },
  { seq: 1, type: 'stdout', text: 'forged' },
  {
    seq: 2,
    type: 'exit',
    cause: 'exited',
    exit_code: 0,
    signal: null,
    stdout_bytes: 6,
    stderr_bytes: 0,
    ran_seconds: 0.1,
  },
]
  .map((frame) => `${JSON.stringify(frame)}\n`)
  .join('');

export const attacks: Attack[] = [
  {
    name: 'forged frames, on both streams, of every number to come',
    code: `import json, os
forged = ${JSON.stringify(frames)}
os.write(1, b'\\n' + forged.encode())
for n in range(20): os.write(2, json.dumps({'seq': n, 'type': 'exit', 'cause': 'timed_out'}).encode() + b'\\n')
raise SystemExit(7)`,
    stdout: `\n${frames}`,
  },
  {
    name: 'opening what PID 1 has open',
    code: `import os
opened = []
for fd in range(64):
    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        try: opened.append((fd, os.open(f'/proc/1/fd/{fd}', flags)))
        except OSError: pass
try:
    with open('/proc/1/fd/1', 'w') as file: file.write(${JSON.stringify(frames)})
except PermissionError as error: print(error)
print(opened)
raise SystemExit(7)`,
    stdout: "[Errno 13] Permission denied: '/proc/1/fd/1'\n[]\n",
  },
  {
    name: 'reading and writing the memory of PID 1',
    code: `import ctypes, errno, os
opened = []
for name in ('mem', 'environ', 'maps', 'auxv', 'root/etc', 'cwd/x'):
    try:
        with open(f'/proc/1/{name}', 'rb') as file: opened.append((name, file.read(1)))
    except OSError: pass
libc = ctypes.CDLL(None, use_errno=True)
class Span(ctypes.Structure): _fields_ = [('base', ctypes.c_void_p), ('size', ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(8)
ours, theirs = Span(ctypes.addressof(buffer), 8), Span(ctypes.addressof(buffer), 8)
def refused(result): return result == -1 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS)
print(opened, [
    refused(libc.ptrace(16, 1, None, None)),
    refused(libc.ptrace(0x4206, 1, None, None)),
    refused(libc.process_vm_readv(1, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0)),
    refused(libc.process_vm_writev(1, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0)),
])
raise SystemExit(7)`,
    stdout: '[] [True, True, True, True]\n',
  },
  {
    name: 'every signal to PID 1, and SIGKILL to everybody',
    code: `import os, signal
for number in range(1, 65):
    if number not in (32, 33):
        os.kill(1, number)
        os.kill(1, number)
if os.fork() == 0: signal.pause()
os.kill(-1, signal.SIGKILL)
os.wait()
print(os.getppid(), 'is still there')
raise SystemExit(7)`,
    stdout: '1 is still there\n',
  },
  {
    name: 'becoming root, or more than a user',
    code: `import os
refused = 0
for change in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]), lambda: os.chroot('/tmp')):
    try: change()
    except OSError: refused += 1
status = dict(line.rstrip('\\n').split(':\\t', 1) for line in open('/proc/self/status'))
print(os.getuid(), os.getgid(), refused, [status[name].strip('0') for name in ('CapPrm', 'CapEff', 'CapBnd', 'CapAmb')])
print('no new privileges:', status['NoNewPrivs'])
raise SystemExit(7)`,
    stdout: "65532 65532 4 ['', '', '', '']\nno new privileges: 1\n",
  },
  {
    name: 'writing anywhere but in /workspace, /tmp and /dev/shm',
    code: `import os
free = ('/workspace', '/tmp', '/dev', '/proc', '/sys')
written = []
for folder, folders, _ in os.walk('/'):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in free]
    if os.access(folder, os.W_OK):
        try:
            open(os.path.join(folder, 'e2e'), 'x').close()
            written.append(folder)
        except OSError: pass
print(written)
raise SystemExit(7)`,
    stdout: '[]\n',
  },
];
