// The page. It never waits; its worker has the store and the VM, and answers by messages.

const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
let requests = 0;

/** Sends a request to worker.js; returns a promise of the result. */
function ask(request) {
  const id = requests++;
  return new Promise((resolve, reject) => {
    const answered = ({ data }) => {
      if (data.id !== id) return;
      worker.removeEventListener('message', answered);
      if (data.error === undefined) resolve(data.result);
      else reject(Object.assign(new Error(data.error.message), { code: data.error.code }));
    };
    worker.addEventListener('message', answered);
    worker.postMessage({ id, request });
  });
}

globalThis.answer = (async () => {
  await ask({ put: ['ada', { born: 1815 }] });
  return { ada: await ask({ get: 'ada' }), fork: await ask({ fork: 7 }) };
})();
const line = document.querySelector('#answer');
line.textContent = await globalThis.answer.then(JSON.stringify, (error) => `${error.code}: ${error.message}`); // prettier-ignore
