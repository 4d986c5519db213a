// The blocks that kernel, guests and host share: no word of a block lies on another.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as snapshotBlock from '../../assembly/abi/snapshot-block.ts';
import * as vcpuBlock from '../../assembly/abi/vcpu-block.ts';
import * as vmBlock from '../../assembly/abi/vm-block.ts';

/** Constants of a block that are values of its words, not offsets. */
const VALUES = /^(VCPU_(ABSENT|IDLE|RUNNING|DEAD)|SNAPSHOT_(GOOD|LOST|STOPPED))$/;

for (const [prefix, block] of Object.entries({
  VM_: vmBlock,
  VCPU_: vcpuBlock,
  SNAPSHOT_: snapshotBlock,
}))
  test(`offsets of ${prefix}* are distinct`, () => {
    const names = new Map<number, string>();
    for (const [name, offset] of Object.entries(block) as [string, number][]) {
      if (!name.startsWith(prefix) || VALUES.test(name)) continue;
      assert.not.ok(names.has(offset), `${name} and ${names.get(offset)!} are both at ${offset}`);
      names.set(offset, name);
    }
    assert.ok(names.size > 4);
  });

test.run();
