import { describe, expect, it } from 'vitest';
import { refusedAddress } from '../../../../engine/server/webhooks/address-guard.ts';

describe('addresses the server calls for a client', () => {
  it.each([
    '1.1.1.1',
    '93.184.216.34',
    '172.32.0.1',
    '192.167.1.1',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
  ])('are public: %s', (address) => expect(refusedAddress(address, false)).toBeUndefined());

  it.each([
    ...['127.0.0.1', '127.255.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.0.1'],
    ...['100.64.0.1', '198.18.0.1', '::1', 'fc00::1', 'fd12:3456::1', '::ffff:127.0.0.1'],
    ...['::ffff:7f00:1', '64:ff9b::a00:1', '2002:7f00:1::', '::127.0.0.1', '0:0:0:0:0:0:0:1'],
  ])('are private only when that is wanted: %s', (address) => {
    expect(refusedAddress(address, false)).toMatch(/private or loopback/);
    expect(refusedAddress(address, true)).toBeUndefined();
  });

  it.each([
    ...['169.254.169.254', '169.254.0.1', '0.0.0.0', '0.1.2.3', '224.0.0.1', '255.255.255.255'],
    ...[
      '100.100.100.200',
      '240.0.0.1',
      '::',
      'fe80::1',
      'fe80::1%eth0',
      'ff02::1',
      'fd00:ec2::254',
    ],
    ...['::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::1'],
    ...['2001::1', '::ffff:0:169.254.169.254', 'example.com', ''],
  ])('are never link-local, metadata or reserved: %s', (address) => {
    expect(refusedAddress(address, false)).toBeDefined();
    expect(refusedAddress(address, true)).toBeDefined();
  });
});
