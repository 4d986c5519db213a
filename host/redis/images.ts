// The Redis guest's images, translated when the package was built.

import type { GuestImages } from '../vm/images.ts';
import { readBuiltModule } from '../platform/node.ts';
import { readPackedModule } from '../platform/packed.ts';

export function redisImages(): GuestImages {
  return {
    main: readPackedModule('redis.main.wasm'),
    snapshot: readBuiltModule('redis.snapshot.wasm'),
    info: JSON.parse(
      new TextDecoder().decode(readBuiltModule('redis.json')),
    ) as GuestImages['info'],
  };
}
