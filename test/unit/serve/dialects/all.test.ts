import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseDialects, dialectOf, dialects } from '../../../../src/serve/dialects/all.ts';
import { settings } from '../../../../src/settings.ts';

const taken = [
  { setting: 'port', port: 8000 },
  { setting: 'probePort', port: 0 },
];

function chosen(...given: string[]) {
  const { chosen: found, faults } = chooseDialects(given, taken);
  return { found: found.map(({ dialect, port }) => `${dialect.name}:${port}`), faults };
}

describe('dialects', () => {
  it('have names that the setting takes, and ports of their own', () => {
    for (const { name } of dialects) {
      assert.deepEqual(settings.shape.dialects.parse([name, `${name}:1`]), [name, `${name}:1`]);
      assert.equal(dialectOf(name)?.name, name);
    }
    const { faults } = chooseDialects(
      dialects.map(({ name }) => name),
      taken,
    );
    assert.deepEqual(faults, []);
    const [, named = ''] = /own: (.*?), such as/.exec(settings.shape.dialects.description ?? '') ?? [];
    assert.equal(
      named,
      dialects.map(({ name }) => `\`${name}\``).join(', '),
      'the setting says which there are',
    );
    assert.equal(dialectOf('nothing'), undefined);
  });

  it('listen where they are told to, or where clients look for them', () => {
    assert.deepEqual(chosen(), { found: [], faults: [] });
    assert.deepEqual(chosen('piston', 'pistom:9001'), { found: ['piston:2000', 'pistom:9001'], faults: [] });
    assert.deepEqual(chosen('piston:0', 'pistom:0'), { found: ['piston:0', 'pistom:0'], faults: [] });
  });

  const wrong: [given: string[], fault: RegExp][] = [
    [['nothing'], /^dialects: there is no dialect "nothing"; there are piston, pistom/],
    [['piston', 'piston:9001'], /^dialects: piston is there twice$/],
    [['piston', 'pistom:2000'], /^dialects: pistom:2000: port 2000 is that of piston; name another/],
    [['piston:8000'], /^dialects: piston:8000: port 8000 is that of port; name another/],
    [['piston:65536'], /^dialects: piston:65536: a port is 65535 at most$/],
  ];
  for (const [given, fault] of wrong) {
    it(`are refused as ${given.join(', ')}`, () => {
      const { faults } = chosen(...given);
      assert.equal(faults.length, 1);
      assert.match(String(faults[0]), fault);
    });
  }
});
