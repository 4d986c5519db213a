// Vite: threads are modules, the package is left as it is, and pages are isolated.

const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const settings = {
  worker: { format: 'es' },
  build: { target: 'es2022' },
  optimizeDeps: { exclude: ['ringzero'] },
  server: { headers },
  preview: { headers },
};

export default settings;
