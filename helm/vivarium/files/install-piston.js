// Installs the packages of LANGUAGES with a Piston of its own, which serves nobody, and removes all others. Then it leaves
// STAMP where the Piston that serves waits for it. Piston's image decides which Node runs this: it may be an old one.
const { spawn } = require('child_process');
const { writeFileSync } = require('fs');
const { request } = require('http');

const wanted = JSON.parse(process.env.LANGUAGES);
const piston = spawn('node', ['/piston_api/src'], { stdio: ['ignore', 'inherit', 'inherit'] });
let doing = 'starting';
let ended = false;
piston.once('exit', (code, signal) => {
  ended = true;
  stop(`Piston ended while ${doing} (${signal || `code ${code}`}).`);
});

/** The first reason is the one that counts: what follows is a consequence. */
function stop(why) {
  if (process.exitCode !== undefined) return;
  process.exitCode = why === undefined ? 0 : 1;
  if (why !== undefined) console.error(why);
  piston.kill('SIGKILL');
}

function ask(method, path, body) {
  const text = body ? JSON.stringify(body) : '';
  // Node tells no length of what it sends with DELETE.
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: 2000, method, path: `/api/v2/${path}`, headers }, (answer) => {
      let said = '';
      answer.setEncoding('utf8').on('data', (more) => (said += more));
      answer.once('error', reject).once('end', () => resolve({ status: answer.statusCode, text: said }));
    });
    asked.once('error', reject).end(text);
  });
}

async function answering() {
  while (!ended) {
    const up = await ask('GET', 'runtimes').then(({ status }) => status === 200, () => false);
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function change(method, { language, version }) {
  doing = `${method === 'POST' ? 'installing' : 'removing'} ${language} ${version}`;
  console.log(doing);
  const { status, text } = await ask(method, 'packages', { language, version });
  return status === 200 ? [] : [`${language} ${version}: ${text}`];
}

const among = (list) => (one) => list.some((other) => other.language === one.language && other.version === one.version);

async function main() {
  await answering();
  doing = 'reading its package index, which it has to reach (piston.egress)';
  const { status, text } = await ask('GET', 'packages');
  if (status !== 200) throw new Error(`${status} ${text}`);
  const there = JSON.parse(text)
    .filter(({ installed }) => installed)
    .map(({ language, language_version: version }) => ({ language, version }));
  const faults = [];
  for (const one of there.filter((one) => !among(wanted)(one))) faults.push(...(await change('DELETE', one)));
  for (const one of wanted.filter((one) => !among(there)(one))) faults.push(...(await change('POST', one)));
  if (faults.length > 0) return stop(`piston.languages: ${faults.join('; ')}`);
  writeFileSync('/piston/installed', process.env.STAMP);
  console.log(`installed: ${wanted.map(({ language, version }) => `${language} ${version}`).join(', ')}`);
  stop();
}

main().catch((error) => stop(`Piston failed while ${doing}: ${error.message}`));
