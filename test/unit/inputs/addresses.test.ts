import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { networks, refusal } from '../../../src/inputs/addresses.ts';

const none = networks([]);

const machine = 'this very machine';
const privateNetwork = 'a private network';
const carrier = 'a carrier’s private network';
const link = 'the local link, where clouds have their metadata services';
const cloud = 'a cloud’s own service';
const multicast = 'a multicast group';
const benchmarks = 'benchmarks';
const documentation = 'documentation';
const tunnel = 'a tunnel, whose end may be private';
const reserved = 'a reserved range';
const unknown = 'no known kind';

const open = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '168.63.129.15',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2000::',
  '2001:200::1',
  '2003::1',
  '2001:4860:4860::8888',
  '2606:4700:4700::1111',
  '3ffe:ffff::1',
  '::ffff:8.8.8.8',
  '::ffff:808:808',
  '0:0:0:0:0:FFFF:0808:0808',
  '64:ff9b::8.8.8.8',
  '64:ff9b:0:0:0:0:808:808',
];

const closed: [address: string, why: string][] = [
  ['0.0.0.0', machine],
  ['0.255.255.255', machine],
  ['127.0.0.1', machine],
  ['127.255.255.254', machine],
  ['10.0.0.1', privateNetwork],
  ['10.255.255.255', privateNetwork],
  ['172.16.0.0', privateNetwork],
  ['172.31.255.255', privateNetwork],
  ['192.168.0.1', privateNetwork],
  ['100.64.0.1', carrier],
  ['100.100.100.200', carrier],
  ['100.127.255.255', carrier],
  ['169.254.0.1', link],
  ['169.254.169.254', link],
  ['168.63.129.16', cloud],
  ['192.0.0.192', reserved],
  ['192.0.2.1', documentation],
  ['198.51.100.1', documentation],
  ['203.0.113.1', documentation],
  ['192.88.99.1', tunnel],
  ['198.18.0.1', benchmarks],
  ['198.19.255.255', benchmarks],
  ['224.0.0.1', multicast],
  ['239.255.255.255', multicast],
  ['240.0.0.1', reserved],
  ['255.255.255.255', reserved],
  ['::', machine],
  ['::1', machine],
  ['0:0:0:0:0:0:0:1', machine],
  ['::2', reserved],
  // IPv4-compatible, which nothing uses any more.
  ['::127.0.0.1', reserved],
  ['::8.8.8.8', reserved],
  ['::ffff:0:8.8.8.8', reserved],
  ['::ffff:127.0.0.1', machine],
  ['::ffff:7f00:1', machine],
  ['::FFFF:7F00:1', machine],
  ['0:0:0:0:0:ffff:a9fe:a9fe', link],
  ['::ffff:0.0.0.0', machine],
  ['::ffff:0:0', machine],
  ['::ffff:10.1.2.3', privateNetwork],
  ['64:ff9b::', machine],
  ['64:ff9b::7f00:1', machine],
  ['64:ff9b::10.0.0.1', privateNetwork],
  ['64:ff9b::a9fe:a9fe', link],
  ['0064:ff9b:0:0:0:0:a9fe:a9fe', link],
  ['64:ff9b::1:0:0', reserved],
  ['64:ff9b:1::808:808', 'a local translator, whose end may be private'],
  ['100::1', 'a range that is discarded'],
  ['2001::1', tunnel],
  ['2001:0:4136:e378:8000:63bf:3fff:fdd2', tunnel],
  ['2001:2::1', benchmarks],
  ['2001:10::1', reserved],
  ['2001:20::1', reserved],
  ['2001:db8::1', documentation],
  ['3fff::1', documentation],
  ['2002:7f00:1::', tunnel],
  ['2002:808:808::1', tunnel],
  ['4000::', reserved],
  ['5f00::1', reserved],
  ['1fff:ffff::1', reserved],
  ['fc00::1', privateNetwork],
  ['fd00:ec2::254', privateNetwork],
  ['fdff:ffff::1', privateNetwork],
  ['fe80::1', link],
  ['febf::1', link],
  ['fec0::1', 'a site'],
  ['feff::1', 'a site'],
  ['ff02::1', multicast],
  ['fe80::1%eth0', unknown],
  ['2606:4700::1%eth0', unknown],
  ['', unknown],
  ['localhost', unknown],
  ['127.1', unknown],
  ['2130706433', unknown],
  ['0x7f.0.0.1', unknown],
  ['8.8.8.8 ', unknown],
  ['[::1]', unknown],
];

describe('refusal', () => {
  for (const address of open) {
    it(`has nothing against ${address}`, () => {
      assert.equal(refusal(address, none), undefined);
    });
  }

  for (const [address, why] of closed) {
    it(`refuses ${JSON.stringify(address)}`, () => {
      assert.equal(refusal(address, none), why);
    });
  }
});

describe('refusal with exceptions', () => {
  const cases: [exceptions: string[], address: string, why: string | undefined][] = [
    [['10.1.0.0/16'], '10.1.2.3', undefined],
    [['10.1.0.0/16'], '::ffff:10.1.2.3', undefined],
    [['10.1.0.0/16'], '64:ff9b::10.1.2.3', undefined],
    [['10.1.0.0/16'], '10.2.0.1', privateNetwork],
    [['10.1.2.3/32', '127.0.0.0/8'], '127.0.0.1', undefined],
    [['fd12::/32'], 'fd12::1', undefined],
    [['fd12::/32'], 'fd13::1', privateNetwork],
    [['5f00::/16'], '5f00::1', undefined],
    [['0.0.0.0/0'], '169.254.169.254', undefined],
    [['0.0.0.0/0'], '::1', machine],
    // What an IPv6 network holds is IPv6, and not the whole of IPv4 inside it.
    [['::/0'], '::1', undefined],
    [['::/0'], '127.0.0.1', machine],
    [['::/0'], '::ffff:127.0.0.1', machine],
    [['::/0'], '64:ff9b::127.0.0.1', machine],
    [['::/0'], '2606:4700::1%eth0', unknown],
  ];
  for (const [exceptions, address, why] of cases) {
    it(`${exceptions.join(' ')}: ${why ? 'refuses' : 'allows'} ${address}`, () => {
      assert.equal(refusal(address, networks(exceptions)), why);
    });
  }
});

describe('networks', () => {
  for (const cidr of ['', '10.0.0.1', '10.0.0.0/', '10.0.0.0/33', '::/129', 'example.org/8', '10.0/8']) {
    it(`throws on ${JSON.stringify(cidr)}`, () => {
      assert.throws(() => networks([cidr]));
    });
  }
});
