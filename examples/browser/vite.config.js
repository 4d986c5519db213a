// Settings of Vite for a page that uses ringzero.

const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const settings = {
  server: { headers },
  preview: { headers },
  // Vite 7 only: threads are modules, and the dev server must not move the package's files.
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['ringzero'] },
};

export default settings;
