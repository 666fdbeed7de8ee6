/** What the parts of the chart's Piston must agree on. */
import { loadAllYaml, type V1Container, type V1Deployment, type V1Job } from '@kubernetes/client-node';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { helmTemplate } from './render.ts';

describe('the Piston of the chart', () => {
  const stamps = (piston: object) => {
    const { ok, output } = helmTemplate({ piston: { enabled: true, ...piston } }, 'templates/piston.yaml');
    assert.ok(ok, output);
    const found = loadAllYaml(output) as (V1Job & V1Deployment)[];
    const job = found.find(({ kind }) => kind === 'Job');
    const deployment = found.find(({ kind }) => kind === 'Deployment');
    const stampOf = (container?: V1Container) => container?.env?.find(({ name }) => name === 'STAMP')?.value;
    return [
      job?.metadata?.name,
      stampOf(job?.spec?.template.spec?.containers[0]),
      stampOf(deployment?.spec?.template.spec?.initContainers?.[0]),
    ];
  };

  it('starts when the Job of this very list has ended', () => {
    const [name, left, awaited] = stamps({});
    assert.match(name ?? '', /^piston-install-/);
    assert.deepEqual([left, awaited], [name, name]);
  });

  it('is installed anew for another list, or another image, and for nothing else', () => {
    const [before] = stamps({});
    assert.notEqual(stamps({ languages: [{ language: 'bash', version: '5.2.0' }] })[0], before);
    assert.notEqual(stamps({ image: { digest: '', tag: 'other' } })[0], before);
    assert.equal(stamps({ egress: [], size: '20Gi', nodeSelector: { a: 'b' } })[0], before);
  });
});
