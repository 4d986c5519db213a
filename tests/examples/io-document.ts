// What surrounds the code of docs/io.md in a guest and a program that run it.

/** A guest in AssemblyScript that uses the queue, requests and the log as the document does. */
export function ioGuest(queue: string, requests: string, log: string): string {
  return `import { syscall } from 'ringzero/assembly';
    import * as sys from 'ringzero/assembly/abi/syscall';
    import { ECANCELED } from 'ringzero/assembly/abi/errno';
    import { OP_READ } from 'ringzero/assembly/abi/ring';
    import { clock, linkage, logWriter, queue, requests } from 'ringzero/assembly/linked';
    const NAME: u32 = 1024;
    let completed: i64 = 0;
    export function boot(frames: u32): void { linkage.attach(frames); }
    export function attach(frames: u32): void { linkage.attach(frames); }
    export function openFile(bytes: i32): i32 {
      const opened = syscall(sys.SYS_OPEN, NAME, bytes, sys.OPEN_READ | sys.OPEN_WRITE | sys.OPEN_CREATE, 0, 0);
      return opened < 0 ? opened : syscall(sys.SYS_RING_FILE, opened, 0, 0, 0, 0);
    }
    export function frames(count: u32): u32 {
      const at = linkage.claimFrames(count);
      linkage.setDmaWindow(at, at + (count << 12));
      return at;
    }
    export function byteAt(address: u32): i32 { return load<u8>(address); }
    function use(userData: u64, result: i32): void { completed += <i64>userData * 10000 + result; }
    export function queued(file: i32, frame: u32): i64 {
      queue.attach();
      const position: u64 = 0;
      const userData: u64 = 7;
      ${queue}
      return completed;
    }
    export function requested(file: i32, frame: u32): i32 {
      const request: u32 = 2048;
      const position: u64 = 0;
      const deadline: u64 = clock.now() + 1000;
      const answer = wanted(file, frame, position, request, deadline);
      return answer;
    }
    function wanted(file: i32, frame: u32, position: u64, request: u32, deadline: u64): i32 {
      ${requests.replace('requests.wait(request);', 'return requests.wait(request);')}
    }
    export function logged(file: i32, buffer: u32): i32 {
      const unattached = logWriter.open(buffer, file, buffer + 4096, 1 << 20);
      if (unattached != -ECANCELED || !requests.attach()) return unattached;
      const block = buffer;
      const bytes: u32 = 1 << 20;
      const record: u32 = 4096;
      const length: u32 = 100;
      return appended(block, file, buffer + 4096, bytes, record, length);
    }
    function appended(block: u32, file: i32, buffer: u32, bytes: u32, record: u32, length: u32): i32 {
      ${log.replace('logWriter.commit(lsn);', 'return logWriter.commit(lsn);')}
    }\n`;
}

/** A program that runs the guest with each, and with faults: `create` and `faults` make its VMs. */
export function ioProgram(create: string, faults: string): string {
  const inHere = (code: string): string =>
    code.replace('linked: true,', "linked: true, preopen: '.',");
  return `import { Faults, MicroVM } from 'ringzero';
    import { readFileSync } from 'node:fs';
    const guest = readFileSync('io-guest.wasm');
    async function open(vm, name) {
      const bytes = new TextEncoder().encode(name);
      new Uint8Array(vm.memory.buffer).set(bytes, 1024);
      return vm.enter().exports.openFile(bytes.length);
    }
    {
      ${inHere(create)}
      const { frames, byteAt, queued } = vm.enter().exports;
      const frame = frames(1);
      console.log(queued(await open(vm, 'pages'), frame), byteAt(frame + 4095));
      await vm.close();
    }
    {
      ${inHere(create)}
      const { frames, byteAt, requested } = vm.enter().exports;
      const frame = frames(1);
      console.log(requested(await open(vm, 'pages'), frame), byteAt(frame + 4095));
      await vm.close();
    }
    {
      ${inHere(create)}
      const { frames, logged } = vm.enter().exports;
      console.log(logged(await open(vm, 'appended.log'), frames(258)));
      await vm.close();
    }
    ${inHere(faults)}
    faults.set({ error: 1 });
    console.log(vm.enter().exports.queued(await open(vm, 'pages'), vm.enter().exports.frames(1)));
    await vm.close();`;
}
